import hashlib
from pathlib import Path

import pytest
import trio

from aip_trio.endpoints.tools import ToolRegistry
from aip_trio.endpoints.tools._hash_file import hash_file_tool
from aip_trio.endpoints.tools._root import Root
from aip_trio.messages import ToolType
from tests.endpoints.tools.support import fail, succeed


@pytest.fixture
def registry(tmp_path: Path) -> ToolRegistry:
    return ToolRegistry(hash_file_tool(Root(tmp_path)))


def test_to_hash_is_to_collect_data(registry: ToolRegistry) -> None:
    assert registry["hash_file"].tool_type is ToolType.DATA_COLLECTION


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha384", "sha512", "sha3_256", "blake2b"])
@pytest.mark.trio
async def test_a_file_has_the_digest_that_hashlib_gives(
    registry: ToolRegistry, tmp_path: Path, algorithm: str
) -> None:
    data = b"some bytes" * 300_000
    (tmp_path / "file").write_bytes(data)
    assert await succeed(registry, "hash_file", path="file", algorithm=algorithm) == {
        "path": "file",
        "algorithm": algorithm,
        "digest": hashlib.new(algorithm, data).hexdigest(),
        "size": len(data),
    }


@pytest.mark.trio
async def test_sha256_is_what_nobody_has_to_ask_for(registry: ToolRegistry, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    result = await succeed(registry, "hash_file", path="empty")
    assert (result["algorithm"], result["size"]) == ("sha256", 0)
    assert result["digest"] == hashlib.sha256().hexdigest()


@pytest.mark.trio
async def test_what_cannot_be_hashed_is_told(registry: ToolRegistry, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert "is a folder" in await fail(registry, "hash_file", path="folder")
    assert "absolute path" in await fail(registry, "hash_file", path="link")
    assert "ENOENT" in await fail(registry, "hash_file", path="missing")
    assert "Invalid enum value 'crc32'" in await fail(registry, "hash_file", path="x", algorithm="crc32")


@pytest.mark.trio
async def test_a_cancelled_hash_ends_between_two_chunks(tmp_path: Path) -> None:
    with (tmp_path / "endless").open("wb") as file:
        file.truncate(10**13)  # would take hours
    with trio.move_on_after(0.1) as scope:
        await hash_file_tool(Root(tmp_path)).call({"path": "endless"})
    assert scope.cancelled_caught
