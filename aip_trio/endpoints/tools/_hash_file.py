"""The tool that hashes a file."""

import hashlib
import io
from typing import Literal

import attrs
import trio

from aip_trio.endpoints.tools._root import Root, refusals
from aip_trio.endpoints.tools._tool import Tool, tool
from aip_trio.messages import ToolType

__all__ = ["Fingerprint", "hash_file_tool"]

Algorithm = Literal["md5", "sha1", "sha256", "sha384", "sha512", "sha3_256", "blake2b"]

_CHUNK = 1024 * 1024


@attrs.frozen
class Fingerprint:
    """The digest of a file's ``size`` bytes, in hexadecimal."""

    path: str
    algorithm: str
    digest: str
    size: int


def hash_file_tool(root: Root) -> Tool:
    """``hash_file`` below this root."""

    @tool(tool_type=ToolType.DATA_COLLECTION)
    async def hash_file(path: str, algorithm: Algorithm = "sha256") -> Fingerprint:
        """Hash a file, however large, as it is while it is read.

        :param path: of a regular file, relative to the root folder
        :param algorithm: the hash function; the digest is in hexadecimal
        """
        return await trio.to_thread.run_sync(_hash, root, path, algorithm)

    return hash_file


def _hash(root: Root, path: str, algorithm: Algorithm) -> Fingerprint:
    digest = hashlib.new(algorithm, usedforsecurity=False)  # an old one is still how old sums are checked
    buffer = memoryview(bytearray(_CHUNK))
    size = 0
    with refusals(path), root.file(path) as descriptor, io.FileIO(descriptor, closefd=False) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            size += count
            trio.from_thread.check_cancelled()
    return Fingerprint(path, algorithm, digest.hexdigest(), size)
