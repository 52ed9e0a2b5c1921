"""The file beside the file: found again, verified, confined, and never in two hands."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import FileUnavailable, TransferUnderWay
from aip_trio.protocol import Outline
from aip_trio.protocol.transfer._journal import Journal
from aip_trio.protocol.transfer._part import Part, destination
from tests.actors.model._settings import examples

CONTENT = bytes(range(251)) * 4  # 1004 bytes: ten chunks of 100, and one of 4
OUTLINE = Outline("a", len(CONTENT), 100)
JOURNAL = Journal("id", OUTLINE)


def chunk(number: int) -> bytes:
    return CONTENT[number * 100 : number * 100 + 100]


@contextlib.contextmanager
def part(path: Path, journal: Journal | None = JOURNAL, outline: Outline = OUTLINE) -> Generator[Part]:
    """A part, verified; what is not settled in the block is left."""
    opened = Part(os.fspath(path), outline, journal, os.fsync)
    try:
        while opened.verify():
            pass
        yield opened
    finally:
        opened.leave()


def fill(opened: Part, stop: int = OUTLINE.total_chunks) -> None:
    for number in range(opened.chunks, stop):
        opened.append(chunk(number))


def test_a_file_takes_its_place_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"before")
    with part(target) as opened:
        fill(opened)
        assert target.read_bytes() == b"before"
        opened.finish()
    assert target.read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["a"]


def test_what_is_not_to_be_resumed_leaves_nothing(tmp_path: Path) -> None:
    with part(tmp_path / "a", None) as opened:
        fill(opened, 3)
        assert sorted(os.listdir(tmp_path)) == [".a.part"]
    assert os.listdir(tmp_path) == []


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    with part(tmp_path / "a") as opened:
        fill(opened, 3)
        opened.discard()
    assert os.listdir(tmp_path) == []


def test_it_is_gone_on_with(tmp_path: Path) -> None:
    for stop in (3, 3, 7, 11):
        with part(tmp_path / "a") as opened:
            fill(opened, stop)
    with part(tmp_path / "a") as opened:
        assert opened.chunks == 10  # the last one is always sent again
        fill(opened)
        opened.finish()
    assert (tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "journal",
    [
        Journal("another", OUTLINE),
        Journal("id", Outline("a", len(CONTENT) + 1, 100)),
        Journal("id", Outline("a", len(CONTENT), 50)),
        Journal("id", Outline("b", len(CONTENT), 100)),
        None,
    ],
)
def test_another_transfer_begins_anew(tmp_path: Path, journal: Journal | None) -> None:
    with part(tmp_path / "a") as opened:
        fill(opened, 5)
    with part(tmp_path / "a", journal) as opened:
        assert opened.chunks == 0
        assert (tmp_path / ".a.part").read_bytes() == b""


def test_begun_anew_it_forgets_what_was_there(tmp_path: Path) -> None:
    with part(tmp_path / "a") as opened:
        fill(opened, 5)
    with part(tmp_path / "a") as opened:
        opened.restart()
        fill(opened, 2)
    with part(tmp_path / "a") as opened:
        assert opened.chunks == 2


@examples(150)
@given(st.integers(0, 11), st.sampled_from([".a.part", ".a.part.journal"]), st.data())
def test_whatever_a_crash_makes_of_it_only_right_bytes_count(
    chunks: int, name: str, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "a"
        with part(target) as opened:
            fill(opened, chunks)
        harmed = Path(folder) / name
        before = harmed.read_bytes()
        at = data.draw(st.integers(0, len(before)), "place")
        harm = data.draw(st.sampled_from(["cut", "garble", "grow", "zero", "remove"]), "harm")
        if harm == "remove":
            harmed.unlink()
        else:
            after = {
                "cut": before[:at],
                "garble": before[:at] + bytes(byte ^ 1 for byte in before[at : at + 1]) + before[at + 1 :],
                "grow": before + data.draw(st.binary(max_size=40)),
                "zero": before[:at] + bytes(len(before) - at),
            }
            harmed.write_bytes(after[harm])
        with part(target) as opened:
            assert (Path(folder) / ".a.part").read_bytes() == CONTENT[: opened.chunks * 100]
            assert opened.chunks <= min(chunks, 10)
            if harm == "grow":
                assert opened.chunks == min(chunks, 10)
            fill(opened)
            opened.finish()
        assert target.read_bytes() == CONTENT


def test_two_at_one_path_are_told_apart(tmp_path: Path) -> None:
    with part(tmp_path / "a") as opened:
        fill(opened, 2)
        for journal in (JOURNAL, None):
            with pytest.raises(TransferUnderWay, match=r"another transfer writes to .*a"):
                Part(os.fspath(tmp_path / "a"), OUTLINE, journal, os.fsync)
        fill(opened)
    with part(tmp_path / "a") as opened:
        assert opened.chunks == 10


PROGRAM = """
    import os, sys
    from tests.protocol.transfer import test_part
    opened = test_part.Part(sys.argv[1], test_part.OUTLINE, test_part.JOURNAL, os.fsync)
    while opened.verify():
        pass
    for number in range(opened.chunks, 6):
        opened.append(test_part.chunk(number))
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_process_that_is_killed_leaves_what_can_be_gone_on_with(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), os.fspath(tmp_path / "a")]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[3], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with pytest.raises(TransferUnderWay):
            Part(os.fspath(tmp_path / "a"), OUTLINE, JOURNAL, os.fsync)
        process.send_signal(signal.SIGKILL)
    with part(tmp_path / "a") as opened:
        assert opened.chunks == 6


@pytest.mark.parametrize("name", [".a.part", ".a.part.journal"])
def test_a_link_in_the_way_is_not_followed(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).symlink_to(outside)
    with pytest.raises(FileUnavailable, match="ELOOP"):
        Part(os.fspath(folder / "a"), OUTLINE, JOURNAL, os.fsync)
    assert outside.read_bytes() == b"mine"
    assert os.listdir(folder) == [name]


def test_a_hard_link_or_a_pipe_in_the_way_is_not_written_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    (tmp_path / ".a.part").hardlink_to(outside)
    os.mkfifo(tmp_path / ".b.part")
    for name in ("a", "b"):
        with pytest.raises(FileUnavailable, match="no partial file: remove it"):
            Part(os.fspath(tmp_path / name), OUTLINE, JOURNAL, os.fsync)
    assert outside.read_bytes() == b"mine"


def test_a_link_at_the_place_itself_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    (tmp_path / "a").symlink_to(outside)
    with part(tmp_path / "a") as opened:
        fill(opened)
        opened.finish()
    assert outside.read_bytes() == b"mine"
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_folder_that_is_swapped_for_a_link_meanwhile_is_not_left(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    with part(folder / "a") as opened:
        fill(opened, 3)
        folder.rename(tmp_path / "moved")
        folder.symlink_to(elsewhere)
        for number in range(3, 11):
            opened.append(chunk(number))
        opened.finish()
    assert os.listdir(elsewhere) == []
    assert (tmp_path / "moved" / "a").read_bytes() == CONTENT


def test_a_folder_at_the_place_is_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(FileUnavailable, match="EISDIR"):
        Part(os.fspath(tmp_path / "a"), OUTLINE, None, os.fsync)
    assert os.listdir(tmp_path) == ["a"]


def test_where_a_file_goes(tmp_path: Path) -> None:
    here = os.fspath(tmp_path)
    assert destination(here, "../x.png") == os.path.join(here, "x.png")
    assert destination(os.path.join(here, "new", ""), "x.png") == os.path.join(here, "new", "x.png")
    assert destination(os.path.join(here, "more", "y"), "x.png") == os.path.join(here, "more", "y")
    assert sorted(os.listdir(here)) == ["more", "new"]


def test_a_folder_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileUnavailable, match=r"ENOTDIR|EEXIST"):
        destination(os.path.join(tmp_path, "file", "deep", "y"), "x")
