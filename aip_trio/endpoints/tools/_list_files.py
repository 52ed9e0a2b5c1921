"""The tool that lists a folder."""

import heapq
import os
from collections import deque
from typing import Annotated

import attrs
import trio
from msgspec import Meta

from aip_trio.endpoints.tools._root import Names, Root, code_of, refusals
from aip_trio.endpoints.tools._tool import Tool, tool
from aip_trio.endpoints.tools._walk import GONE, Found, Kind, scan
from aip_trio.messages import ToolType

__all__ = ["Entry", "Listing", "list_files_tool"]


@attrs.frozen
class Entry:
    """A file or folder: its path relative to the root, and when it was modified, in seconds since 1970.

    ``size`` is that of a file. ``error``: why a folder could not be listed, or a name not be written out.
    """

    path: str
    kind: Kind
    size: int | None
    modified: float
    error: str | None = None


@attrs.frozen
class Listing:
    """``truncated``: there is more than the limit let in."""

    entries: list[Entry]
    truncated: bool


def list_files_tool(root: Root) -> Tool:
    """``list_files`` below this root."""

    @tool(tool_type=ToolType.DATA_COLLECTION)
    async def list_files(
        path: str = ".",
        recursive: bool = False,
        limit: Annotated[int, Meta(ge=1, le=100_000)] = 10_000,
    ) -> Listing:
        """List a folder: files, folders, links (which are not followed) and whatever else is in it.

        Folder by folder, each ordered by name.

        :param path: of the folder, relative to the root folder
        :param recursive: whether to list the folders in it as well, and those in them
        :param limit: how many entries to list at most
        """
        return await trio.to_thread.run_sync(_list, root, path, recursive, limit)

    return list_files


def _list(root: Root, path: str, recursive: bool, limit: int) -> Listing:
    entries: list[Entry] = []
    with refusals(path):
        #: folders to list, each with the place of its entry
        ahead: deque[tuple[Names, int | None]] = deque([(root.resolve(path), None)])
        while ahead:
            folder, place = ahead.popleft()
            room = limit - len(entries)
            try:
                # never more in memory than can be told, and one to know that there is more
                found = heapq.nsmallest(room + 1, scan(root, folder), key=lambda each: each.name)
            except OSError as error:
                if place is None:
                    raise
                if not isinstance(error, GONE):
                    entries[place] = attrs.evolve(entries[place], error=code_of(error))
                continue
            for each in found[:room]:
                if recursive and each.kind == "folder":
                    ahead.append(((*folder, each.name), len(entries)))
                entries.append(_entry(folder, each))
            if len(found) > room:
                return Listing(entries, truncated=True)
    return Listing(entries, truncated=False)


def _entry(folder: Names, found: Found) -> Entry:
    path, error = "/".join((*folder, found.name)), None
    try:
        path.encode()
    except UnicodeEncodeError:  # bytes that no string of JSON can hold
        path, error = os.fsencode(path).decode("utf-8", "backslashreplace"), "its name is not UTF-8"
    size = found.status.st_size if found.kind == "file" else None
    return Entry(path, found.kind, size, found.status.st_mtime, error)
