import base64
import errno
import os
import stat
import threading
from pathlib import Path

import pytest
import trio

from aip_trio import open_system
from aip_trio.actors import RealEnvironment
from aip_trio.endpoints.tools import ToolRegistry, _folder
from aip_trio.endpoints.tools._root import Root
from aip_trio.endpoints.tools._write_file import write_file_tool
from aip_trio.errors import FileFailed
from aip_trio.messages import ToolType
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.endpoints.tools.support import Interruption, fail, succeed


@pytest.fixture(params=["handles", "paths"])
def registry(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToolRegistry:
    monkeypatch.setattr(_folder, "_RELATIVE", request.param == "handles")
    return ToolRegistry(write_file_tool(Root(tmp_path)))


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_to_write_is_an_action(registry: ToolRegistry) -> None:
    assert registry["write_file"].tool_type is ToolType.ACTION


@pytest.mark.trio
async def test_a_text_is_written(registry: ToolRegistry, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    written = await succeed(registry, "write_file", path="folder/file", content="grüße")
    assert written == {"path": "folder/file", "size": 7, "replaced": False}
    assert (tmp_path / "folder" / "file").read_text(encoding="utf-8") == "grüße"
    assert os.listdir(tmp_path / "folder") == ["file"]


@pytest.mark.trio
async def test_bytes_are_written_from_base64(registry: ToolRegistry, tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    content = base64.b64encode(data).decode()
    await succeed(registry, "write_file", path="file", content=content, encoding="base64")
    assert (tmp_path / "file").read_bytes() == data


@pytest.mark.trio
async def test_a_file_that_is_there_stays_unless_told_otherwise(
    registry: ToolRegistry, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("old")
    assert await fail(registry, "write_file", path="file", content="new") == (
        "path='file': there is a file already, replaced only with overwrite=true (EEXIST)"
    )
    assert (tmp_path / "file").read_text() == "old"
    written = await succeed(registry, "write_file", path="file", content="new", overwrite=True)
    assert written["replaced"] is True
    assert (tmp_path / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.trio
async def test_a_replaced_file_keeps_its_permissions(registry: ToolRegistry, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o4741)
    await succeed(registry, "write_file", path="file", content="new", overwrite=True)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o741  # but not those of its owner: setuid


@pytest.mark.trio
async def test_a_new_file_has_the_permissions_of_any_other(registry: ToolRegistry, tmp_path: Path) -> None:
    await succeed(registry, "write_file", path="file", content="")
    (tmp_path / "other").touch()
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.trio
async def test_a_link_is_followed_below_the_root_only(registry: ToolRegistry, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "inside").write_text("old")
    (root / "link").symlink_to("inside")
    (root / "new").symlink_to("made")
    (root / "out").symlink_to("../outside")
    registry = ToolRegistry(write_file_tool(Root(root)))
    await succeed(registry, "write_file", path="link", content="new", overwrite=True)
    await succeed(registry, "write_file", path="new", content="new")
    assert (root / "inside").read_text() == (root / "made").read_text() == "new"
    assert (root / "link").is_symlink()
    for path in ("out", "../outside", str(tmp_path / "outside")):
        for overwrite in (True, False):
            error = await fail(registry, "write_file", path=path, content="x", overwrite=overwrite)
            assert "give one below the root folder" in error
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.trio
async def test_what_cannot_be_written_is_told(
    registry: ToolRegistry, tmp_path: Path, overwrite: bool
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    before = sorted(os.listdir(tmp_path))
    for path, reason in (
        (".", "is the root folder"),
        ("", "is the root folder"),
        ("folder", "is a folder"),
        ("pipe", "is a pipe"),
        ("missing/file", "(ENOENT)"),
        ("file/file", "(ENOTDIR)"),
        ("x" * 256, "(ENAMETOOLONG)"),
    ):
        assert reason in await fail(registry, "write_file", path=path, content="x", overwrite=overwrite)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("content", ["a", "a===", "é===", "YWJj\n", "YW Jj"])
@pytest.mark.trio
async def test_what_is_no_base64_is_refused(registry: ToolRegistry, tmp_path: Path, content: str) -> None:
    error = await fail(registry, "write_file", path="file", content=content, encoding="base64")
    assert error.startswith("tool 'write_file' cannot take these parameters: is not base64 (")
    assert error.endswith("@ $.content")
    assert not os.listdir(tmp_path)


@pytest.mark.trio
async def test_a_text_that_is_no_utf8_is_refused(registry: ToolRegistry, tmp_path: Path) -> None:
    assert "is not utf-8" in await fail(registry, "write_file", path="file", content="\ud800")
    assert not os.listdir(tmp_path)


class Disk(RealEnvironment):
    """A disk that is looked at, or fails, as it is to bring a file to safety."""

    def __init__(self, root: Path, failure: OSError | None = None) -> None:
        super().__init__()
        self.root = root
        self.failure = failure
        self.seen: list[set[str]] = []

    def sync(self, file: int) -> None:
        self.seen.append(set(os.listdir(self.root)))
        if self.failure is not None:
            raise self.failure
        super().sync(file)


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.trio
async def test_a_file_has_its_name_only_when_it_is_on_the_disk(
    registry: ToolRegistry, tmp_path: Path, overwrite: bool
) -> None:
    disk = Disk(tmp_path)
    async with open_system(environment=disk):
        await succeed(registry, "write_file", path="file", content="new", overwrite=overwrite)
    before, *after = disk.seen
    (temporary,) = before
    assert temporary.startswith(".aip-")
    assert temporary.endswith(".part")
    assert after in ([{"file"}], [])  # the folder itself, where it can be


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.trio
async def test_a_full_disk_leaves_nothing_behind(
    registry: ToolRegistry, tmp_path: Path, overwrite: bool
) -> None:
    if overwrite:
        (tmp_path / "file").write_text("old")
    full = OSError(errno.ENOSPC, "No space left on device")
    async with open_system(environment=Disk(tmp_path, full)):
        error = await fail(registry, "write_file", path="file", content="new", overwrite=overwrite)
    assert error == "path='file': No space left on device (ENOSPC)"
    assert contents(tmp_path) == ({"file": "old"} if overwrite else {})


@pytest.mark.trio
async def test_of_two_writers_of_one_new_file_one_is_refused(registry: ToolRegistry, tmp_path: Path) -> None:
    """Both have looked and seen no file, and both have written theirs, before either gives it its name."""
    meeting = threading.Barrier(2)

    class Meeting(RealEnvironment):
        def sync(self, file: int) -> None:
            if stat.S_ISREG(os.fstat(file).st_mode):
                meeting.wait(10)

    outcomes: dict[str, str] = {}

    async def write(content: str) -> None:
        try:
            await registry.call("write_file", {"path": "file", "content": content})
        except FileFailed as error:
            outcomes[content] = str(error)
        else:
            outcomes[content] = "written"

    async with open_system(environment=Meeting()), trio.open_nursery() as nursery:
        nursery.start_soon(write, "one")
        nursery.start_soon(write, "two")
    (loser,) = (content for content, outcome in outcomes.items() if outcome != "written")
    (winner,) = set(outcomes) - {loser}
    assert outcomes[loser] == "path='file': File exists (EEXIST)"
    assert (tmp_path / "file").read_text() == winner
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.trio
async def test_without_hard_links_a_file_is_placed_all_the_same(
    registry: ToolRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    await succeed(registry, "write_file", path="file", content="new")
    assert (tmp_path / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.trio
async def test_without_hard_links_a_failure_leaves_nothing_behind(
    registry: ToolRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    error = await fail(registry, "write_file", path="file", content="new")
    assert error == "path='file': Operation not permitted (EPERM)"
    assert contents(tmp_path) == {}


def test_a_cancelled_write_writes_all_or_nothing(tmp_path: Path) -> None:
    write_file = write_file_tool(Root(tmp_path))
    content = "x" * 3_000_000
    (tmp_path / "file").write_text("old")
    outcomes: set[tuple[bool, int]] = set()

    async def scenario(point: CancelPoint) -> None:
        with point:
            await write_file.call({"path": "file", "content": content, "overwrite": True})
        outcomes.add((point.cancelled, (tmp_path / "file").stat().st_size))
        assert os.listdir(tmp_path) == ["file"]
        (tmp_path / "file").write_text("old")

    cancel_at_every_checkpoint(scenario, virtual_time=False)
    assert (True, 3) in outcomes
    assert (False, 3_000_000) in outcomes
    assert {size for _, size in outcomes} == {3, 3_000_000}


@pytest.mark.parametrize("chunk", range(5))
@pytest.mark.trio
async def test_a_write_that_is_cancelled_between_two_chunks_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    (tmp_path / "file").write_text("old")
    interruption = Interruption(at=chunk)
    interruption.arm(monkeypatch)
    write_file = write_file_tool(Root(tmp_path))
    with interruption.scope:
        await write_file.call({"path": "file", "content": "x" * 3_500_000, "overwrite": True})
    assert interruption.scope.cancelled_caught
    assert interruption.looked == chunk + 1
    assert contents(tmp_path) == {"file": "old"}
