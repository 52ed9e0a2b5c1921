import base64
import os
from pathlib import Path

import pytest

from aip_trio.endpoints.tools import ToolRegistry
from aip_trio.endpoints.tools._read_file import read_file_tool
from aip_trio.endpoints.tools._root import Root
from aip_trio.messages import ToolType
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.endpoints.tools.support import Interruption, fail, succeed


@pytest.fixture
def registry(tmp_path: Path) -> ToolRegistry:
    return ToolRegistry(read_file_tool(Root(tmp_path)))


def test_to_read_is_to_collect_data(registry: ToolRegistry) -> None:
    assert registry["read_file"].tool_type is ToolType.DATA_COLLECTION


@pytest.mark.trio
async def test_a_text_is_read(registry: ToolRegistry, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("grüße\n", encoding="utf-8")
    assert await succeed(registry, "read_file", path="file") == {
        "path": "file",
        "content": "grüße\n",
        "encoding": "utf-8",
        "offset": 0,
        "next_offset": 8,
        "end": True,
    }


@pytest.mark.trio
async def test_bytes_are_read_as_base64(registry: ToolRegistry, tmp_path: Path) -> None:
    data = bytes(range(256))
    (tmp_path / "file").write_bytes(data)
    read = await succeed(registry, "read_file", path="file", offset=10, limit=200, encoding="base64")
    assert base64.b64decode(read["content"]) == data[10:210]
    assert (read["offset"], read["next_offset"], read["end"]) == (10, 210, False)


@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
@pytest.mark.parametrize("limit", [4, 5, 7, 1_000_000])
@pytest.mark.trio
async def test_reading_on_from_each_end_gives_the_whole_file(
    registry: ToolRegistry, tmp_path: Path, limit: int, encoding: str
) -> None:
    text = "aé€😀" * 20
    (tmp_path / "file").write_text(text, encoding="utf-8")
    whole, offset, end = b"", 0, False
    while not end:
        read = await succeed(
            registry, "read_file", path="file", offset=offset, limit=limit, encoding=encoding
        )
        content: str = read["content"]
        piece = base64.b64decode(content) if encoding == "base64" else content.encode()
        assert 0 < len(piece) <= limit
        whole += piece
        offset, end = read["next_offset"], read["end"]
        assert offset == len(whole)
    assert whole.decode() == text


@pytest.mark.parametrize("offset", [0, 1, 2**40])
@pytest.mark.trio
async def test_after_the_end_there_is_nothing(registry: ToolRegistry, tmp_path: Path, offset: int) -> None:
    (tmp_path / "file").touch()
    read = await succeed(registry, "read_file", path="file", offset=offset)
    assert (read["content"], read["next_offset"], read["end"]) == ("", offset, True)


@pytest.mark.trio
async def test_an_exact_end_is_an_end(registry: ToolRegistry, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("12345")
    for limit, end in ((4, False), (5, True), (6, True)):
        assert (await succeed(registry, "read_file", path="file", limit=limit))["end"] is end


@pytest.mark.parametrize(
    ("data", "offset", "at"), [(b"ab\xff", 0, 2), ("é".encode(), 1, 1), ("€".encode()[:2], 0, 0)]
)
@pytest.mark.trio
async def test_what_is_no_text_is_told_where_it_is_none(
    registry: ToolRegistry, tmp_path: Path, data: bytes, offset: int, at: int
) -> None:
    (tmp_path / "file").write_bytes(data)
    error = await fail(registry, "read_file", path="file", offset=offset)
    assert error == f"path='file' is not UTF-8 text at byte {at}: read it with encoding='base64'"


@pytest.mark.parametrize(
    ("parameter", "value", "fault"),
    [
        ("offset", -1, "Expected `int` >= 0 @ $.offset"),
        ("offset", 2**60, "Expected `int` <= 9007199254740992 @ $.offset"),
        ("limit", 3, "Expected `int` >= 4 @ $.limit"),
        ("limit", 8 * 1024 * 1024 + 1, "Expected `int` <= 8388608 @ $.limit"),
        ("encoding", "latin-1", "Invalid enum value 'latin-1' @ $.encoding"),
        ("path", 1, "Expected `str`, got `int` @ $.path"),
    ],
)
@pytest.mark.trio
async def test_its_parameters_have_bounds(
    registry: ToolRegistry, parameter: str, value: object, fault: str
) -> None:
    error = await fail(registry, "read_file", **{"path": "file", parameter: value})
    assert error == f"tool 'read_file' cannot take these parameters: {fault}"


@pytest.mark.trio
async def test_a_file_that_never_ends_is_read_up_to_the_limit(registry: ToolRegistry, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(10**13)
    read = await succeed(registry, "read_file", path="file", limit=8 * 1024 * 1024, encoding="base64")
    assert (read["next_offset"], read["end"]) == (8 * 1024 * 1024, False)


@pytest.mark.trio
async def test_what_cannot_be_read_is_told(registry: ToolRegistry, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert await fail(registry, "read_file", path="pipe") == "path='pipe' is a pipe: name a regular file"
    assert await fail(registry, "read_file", path="x") == "path='x': No such file or directory (ENOENT)"
    assert "has '..' in it" in await fail(registry, "read_file", path="../x")


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    read_file = read_file_tool(Root(tmp_path))

    async def scenario(point: CancelPoint) -> None:
        with point:
            await read_file.call({"path": "file"})

    cancel_at_every_checkpoint(scenario, virtual_time=False)


@pytest.mark.trio
async def test_a_cancelled_read_ends_between_two_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x" * 4_000_000)
    interruption = Interruption(at=1)
    interruption.arm(monkeypatch)
    with interruption.scope:
        await read_file_tool(Root(tmp_path)).call({"path": "file", "limit": 4_000_000})
    assert interruption.scope.cancelled_caught
    assert interruption.looked == 2
