import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from aip_trio.actors import Actor, ActorRef, open_system
from aip_trio.cli.demo._messages import NextBatch, Rewind
from aip_trio.cli.demo._walker import BATCH_BYTES, BATCH_FILES, Walker, portions
from tests.cli.trees import grow


def by_os_walk(root: Path) -> set[str]:
    found = set[str]()
    for directory, _, names in os.walk(root):
        paths = (Path(directory, name) for name in names)
        found |= {str(path.relative_to(root)) for path in paths if path.is_file() and not path.is_symlink()}
    return found


@pytest.mark.parametrize("files", [0, 1, 200])
def test_each_regular_file_is_found_once(files: int, tmp_path: Path) -> None:
    grow(tmp_path, files, seed=files)
    found = [path for portion in portions(str(tmp_path)) for path in portion.paths]
    assert len(found) == len(set(found))
    assert set(found) == by_os_walk(tmp_path)


def test_a_portion_is_bounded_by_number_and_size(tmp_path: Path) -> None:
    for number in range(2 * BATCH_FILES + 1):
        (tmp_path / f"{number}").touch()
    sizes = [len(portion.paths) for portion in portions(str(tmp_path))]
    assert sizes == [BATCH_FILES, BATCH_FILES, 1]
    for number in range(3):
        with (tmp_path / f"{number}").open("wb") as file:
            file.truncate(BATCH_BYTES)
    assert len(list(portions(str(tmp_path)))) >= 4


def test_a_directory_that_vanishes_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "file").touch()
    real = os.scandir

    def scandir(path: str) -> Iterator["os.DirEntry[str]"]:
        if path.endswith("gone"):
            (tmp_path / "gone").rmdir()
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [(p.paths, p.unreadable) for p in portions(str(tmp_path))] == [(("file",), ())]


class Lane(Actor):
    pass


async def drain(walker: ActorRef, lane: ActorRef) -> list[str]:
    done, found = None, list[str]()
    while (batch := await walker.ask(NextBatch(lane, done))) is not None:
        done = batch.id
        found += batch.paths
    return found


@pytest.mark.trio
async def test_who_asks_again_gets_the_same_batch_until_it_is_done(tmp_path: Path) -> None:
    grow(tmp_path, 200)
    async with open_system() as system:
        walker = await system.spawn(Walker, str(tmp_path), trio.CapacityLimiter(1))
        lane, other = await system.spawn(Lane), await system.spawn(Lane)
        first = await walker.ask(NextBatch(lane, None))
        assert first is not None
        assert await walker.ask(NextBatch(lane, None)) == first
        second = await walker.ask(NextBatch(other, None))
        third = await walker.ask(NextBatch(lane, first.id))
        assert second is not None
        assert third is not None
        assert len({first.id, second.id, third.id}) == 3
        assert not set(first.paths) & set(third.paths)


@pytest.mark.trio
async def test_after_the_end_there_is_no_more(tmp_path: Path) -> None:
    grow(tmp_path, 100)
    async with open_system() as system:
        walker = await system.spawn(Walker, str(tmp_path), trio.CapacityLimiter(1))
        lane = await system.spawn(Lane)
        assert set(await drain(walker, lane)) == by_os_walk(tmp_path)
        assert await walker.ask(NextBatch(lane, None)) is None
        await walker.ask(Rewind())
        assert set(await drain(walker, lane)) == by_os_walk(tmp_path)
