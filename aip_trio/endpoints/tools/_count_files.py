"""The tool that counts files."""

import attrs
import trio

from aip_trio.endpoints.tools._root import Names, Root, refusals
from aip_trio.endpoints.tools._tool import Tool, tool
from aip_trio.endpoints.tools._walk import GONE, scan
from aip_trio.messages import ToolType

__all__ = ["Count", "count_files_tool"]


@attrs.frozen
class Count:
    """Regular files and their bytes; ``unreadable``: folders whose files are not among them."""

    path: str
    files: int
    bytes: int
    folders: int
    unreadable: int


def count_files_tool(root: Root) -> Tool:
    """``count_files`` below this root."""

    @tool(tool_type=ToolType.DATA_COLLECTION)
    async def count_files(path: str = ".") -> Count:
        """Count the regular files in a folder and in all folders in it, and their bytes. Follows no links.

        :param path: of the folder, relative to the root folder
        """
        return await trio.to_thread.run_sync(_count, root, path)

    return count_files


def _count(root: Root, path: str) -> Count:
    files = size = folders = unreadable = 0
    with refusals(path):
        start = root.resolve(path)
        ahead: list[Names] = [start]
        while ahead:
            folder = ahead.pop()
            try:
                for found in scan(root, folder):
                    if found.kind == "file":
                        files += 1
                        size += found.status.st_size
                    elif found.kind == "folder":
                        folders += 1
                        ahead.append((*folder, found.name))
            except OSError as error:
                if folder is start:
                    raise
                unreadable += not isinstance(error, GONE)
    return Count(path, files, size, folders, unreadable)
