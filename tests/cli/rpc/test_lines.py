import os
from pathlib import Path

import pytest
import trio

from aip_trio.cli.rpc import _lines
from aip_trio.cli.rpc._lines import PipedLines
from aip_trio.errors import InvalidOption


async def all_of(lines: PipedLines) -> list[str]:
    found: list[str] = []
    while (line := await lines.next()) is not None:
        found.append(line)
    return found


@pytest.mark.trio
@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\r\n\r\ntwo", ["one", "", "two"]),
        (b"\n", [""]),
        (b"\xff\n", ["\ufffd"]),
        (b"a" * 200_000 + b"\nb\n", ["a" * 200_000, "b"]),
    ],
)
async def test_a_file_is_its_lines(content: bytes, lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(content)
    with open(tmp_path / "lines", "rb") as file:  # noqa: ASYNC230 - a test's own small file
        assert await all_of(PipedLines(file.fileno())) == lines


@pytest.mark.trio
async def test_a_pipes_lines_come_as_they_are_written() -> None:
    reader, writer = os.pipe()
    try:
        lines = PipedLines(reader)
        os.write(writer, b"one\ntwo\nthr")
        assert [await lines.next(), await lines.next()] == ["one", "two"]
        os.write(writer, b"ee\n")
        assert await lines.next() == "three"
        with trio.move_on_after(0.01) as waiting:
            await lines.next()
        assert waiting.cancelled_caught
    finally:
        os.close(writer)
        os.close(reader)


@pytest.mark.trio
async def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lines, "_LONGEST", 100_000)
    with open("/dev/zero", "rb") as file:  # noqa: ASYNC230 - it never blocks
        with pytest.raises(InvalidOption, match="a line of more than 100000 bytes"):
            await PipedLines(file.fileno()).next()
