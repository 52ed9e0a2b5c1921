"""The tool that writes a file: all of it, or nothing."""

import base64
import contextlib
import io
import os
from collections.abc import Callable, Generator

import attrs
import trio

from aip_trio.actors import current_environment
from aip_trio.endpoints.tools._folder import Folder
from aip_trio.endpoints.tools._read_file import Encoding
from aip_trio.endpoints.tools._root import Root, check_regular, refusals
from aip_trio.endpoints.tools._tool import Tool, tool
from aip_trio.errors import FileFailed, InvalidParameters, UnsupportedFile

__all__ = ["Written", "write_file_tool"]

_CHUNK = 1024 * 1024

_NEW = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | sum(getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW"))
)


@attrs.frozen
class Written:
    """A file that stands as it was asked for, on the disk. ``replaced``: there was one before."""

    path: str
    size: int
    replaced: bool


def write_file_tool(root: Root) -> Tool:
    """``write_file`` below this root."""

    @tool
    async def write_file(
        path: str, content: str, encoding: Encoding = "utf-8", overwrite: bool = False
    ) -> Written:
        """Write a file, whole or not at all; its folder has to exist. Who reads meanwhile sees the old one.

        :param path: of the file, relative to the root folder
        :param content: the text, or with encoding "base64" the bytes in base64
        :param encoding: what content is
        :param overwrite: whether a file of that path is replaced; without it, that is an error
        """
        environment = current_environment()
        new = _New(path, content, encoding, overwrite, f".aip-{environment.new_id()}.part")
        return await trio.to_thread.run_sync(_write, root, new, environment.sync)

    return write_file


@attrs.frozen
class _New:
    """What is to be written; ``temporary``: the name that it has until all of it is there."""

    path: str
    content: str
    encoding: Encoding
    overwrite: bool
    temporary: str


def _write(root: Root, new: _New, sync: Callable[[int], None]) -> Written:
    data = _bytes(new)
    with refusals(new.path):
        names = root.resolve(new.path)
        if not names:
            raise UnsupportedFile(new.path, "is the root folder: name a file in it")
        name = names[-1]
        with root.folder(names[:-1]) as folder:
            before = _look(folder, new, name)
            with _filled(folder, new.temporary, data, before, sync):
                trio.from_thread.check_cancelled()  # the last chance: what follows is not interrupted
                if new.overwrite:
                    folder.replace(new.temporary, name)
                else:
                    folder.place(new.temporary, name)
            folder.sync(sync)
    return Written(new.path, len(data), before is not None)


def _bytes(new: _New) -> bytes:
    try:
        if new.encoding == "base64":
            return base64.b64decode(new.content, validate=True)
        return new.content.encode()
    except ValueError as error:
        raise InvalidParameters("write_file", (f"is not {new.encoding} ({error}) @ $.content",)) from error


def _look(folder: Folder, new: _New, name: str) -> os.stat_result | None:
    """The file that is to be replaced, if there is one. Raises FileFailed where it is not to be."""
    try:
        status = folder.status(name)
    except FileNotFoundError:
        return None
    check_regular(new.path, status)
    if not new.overwrite:
        raise FileFailed(new.path, "EEXIST", "there is a file already, replaced only with overwrite=true")
    return status


@contextlib.contextmanager
def _filled(
    folder: Folder, name: str, data: bytes, before: os.stat_result | None, sync: Callable[[int], None]
) -> Generator[None]:
    """A new file of these bytes, on the disk; removed in the end, unless it has been renamed."""
    descriptor = folder.open_file(name, _NEW)
    try:
        with io.FileIO(descriptor, "w") as file:
            if before is not None and hasattr(os, "fchmod"):
                os.fchmod(descriptor, before.st_mode & 0o777)
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest[:_CHUNK]) :]
                trio.from_thread.check_cancelled()
            sync(descriptor)
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            folder.remove(name)
