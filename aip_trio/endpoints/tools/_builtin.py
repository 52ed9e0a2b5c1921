"""The tools that come with aip_trio."""

import os
from collections.abc import Iterable

from aip_trio.endpoints.tools._count_files import count_files_tool
from aip_trio.endpoints.tools._hash_file import hash_file_tool
from aip_trio.endpoints.tools._list_files import list_files_tool
from aip_trio.endpoints.tools._machine import live_load, system_info
from aip_trio.endpoints.tools._read_file import read_file_tool
from aip_trio.endpoints.tools._registry import ToolRegistry
from aip_trio.endpoints.tools._root import Root
from aip_trio.endpoints.tools._run_program import run_program_tool
from aip_trio.endpoints.tools._write_file import write_file_tool
from aip_trio.errors import InvalidOption

__all__ = ["builtin_tools"]

_FILE_TOOLS = (list_files_tool, count_files_tool, read_file_tool, hash_file_tool, write_file_tool)


def builtin_tools(root: str | os.PathLike[str] | None = None, allow: Iterable[str] = ()) -> ToolRegistry:
    """A registry of the tools that come with aip_trio, to which a device adds its own.

    ``root``: the folder below which files may be read and written; None: no file tools. ``allow``: programs
    that may be run there (without a root: in the current folder), by their names on PATH or absolute paths;
    none: no ``run_program``. A program gets of the environment PATH, HOME, the locale, TMPDIR and TZ.

    Raises InvalidOption for a root that is no folder, and for a program that is not there.
    """
    registry = ToolRegistry(system_info, live_load)
    below = None if root is None else Root(root)
    if below is not None:
        for make in _FILE_TOOLS:
            registry.add(make(below))
    if isinstance(allow, str):
        raise InvalidOption("allow", allow, "is one string: give a sequence of programs")
    programs = tuple(allow)
    if programs and not hasattr(os, "killpg"):
        raise InvalidOption(
            "allow", programs, "needs process groups, which this platform lacks: leave it out"
        )
    if programs:
        registry.add(run_program_tool(programs, os.getcwd() if below is None else below.path))
    return registry
