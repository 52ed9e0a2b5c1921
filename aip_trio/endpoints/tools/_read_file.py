"""The tool that reads a file, or a part of one."""

import base64
import codecs
import io
from typing import Annotated, Literal

import attrs
import trio
from msgspec import Meta

from aip_trio.endpoints.tools._root import Root, refusals
from aip_trio.endpoints.tools._tool import Tool, tool
from aip_trio.errors import UnsupportedFile
from aip_trio.messages import ToolType

__all__ = ["Encoding", "Excerpt", "read_file_tool"]

#: How bytes stand in a string of JSON.
Encoding = Literal["utf-8", "base64"]

_CHUNK = 1024 * 1024
_MOST = 8 * 1024 * 1024
_LARGEST_OFFSET = 2**53  # what JSON's numbers hold exactly


@attrs.frozen
class Excerpt:
    """Bytes ``offset`` to ``next_offset`` of a file; ``end``: there are none after them."""

    path: str
    content: str
    encoding: Encoding
    offset: int
    next_offset: int
    end: bool


def read_file_tool(root: Root) -> Tool:
    """``read_file`` below this root."""

    @tool(tool_type=ToolType.DATA_COLLECTION)
    async def read_file(
        path: str,
        offset: Annotated[int, Meta(ge=0, le=_LARGEST_OFFSET)] = 0,
        limit: Annotated[int, Meta(ge=4, le=_MOST)] = 1024 * 1024,
        encoding: Encoding = "utf-8",
    ) -> Excerpt:
        """Read a file: its text, or with encoding "base64" its bytes. To go on, read from next_offset.

        :param path: of a regular file, relative to the root folder
        :param offset: the first byte to read
        :param limit: how many bytes to read at most; of text, whole characters within them
        :param encoding: "utf-8" for text, "base64" for any bytes
        """
        return await trio.to_thread.run_sync(_read, root, path, offset, limit, encoding)

    return read_file


def _read(root: Root, path: str, offset: int, limit: int, encoding: Encoding) -> Excerpt:
    data = bytearray()
    with refusals(path), root.file(path) as descriptor, io.FileIO(descriptor, closefd=False) as file:
        file.seek(offset)
        # one byte more than asked for shows whether this is the end
        while chunk := file.read(min(_CHUNK, limit + 1 - len(data))):
            data += chunk
            trio.from_thread.check_cancelled()
    end = len(data) <= limit
    del data[limit:]
    if encoding == "base64":
        content, length = base64.b64encode(data).decode("ascii"), len(data)
    else:
        try:
            content, length = codecs.utf_8_decode(data, "strict", end)
        except UnicodeDecodeError as error:
            raise UnsupportedFile(
                path, f"is not UTF-8 text at byte {offset + error.start}: read it with encoding='base64'"
            ) from error
    return Excerpt(path, content, encoding, offset, offset + length, end)
