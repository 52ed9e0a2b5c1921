"""Work on files, off Trio's thread."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

import trio

from aip_trio.errors import FileUnavailable

__all__ = ["checksum", "clean_up", "in_thread", "refusals", "together"]

A = TypeVar("A")
B = TypeVar("B")

#: Threads for all transfers of a run: a disk that hangs takes these, and none of the program's others.
_THREADS = 8
_limiter: trio.lowlevel.RunVar[trio.CapacityLimiter | None] = trio.lowlevel.RunVar("aip_trio.transfer", None)

#: Bytes that are hashed in less time than it takes to hand them to a thread and back.
_SHORT = 65536

#: Seconds that the removal of a partial file may wait for its thread.
_PATIENCE = 10.0


async def in_thread(work: Callable[[], A]) -> A:
    """Do this in a thread. A checkpoint; cancelled before, or not at all: what was opened is returned."""
    limiter = _limiter.get()
    if limiter is None:
        limiter = trio.CapacityLimiter(_THREADS)
        _limiter.set(limiter)
    return await trio.to_thread.run_sync(work, limiter=limiter)


async def clean_up(work: Callable[[], object]) -> None:
    """Do this in a thread of its own, though it be cancelled."""
    with trio.move_on_after(_PATIENCE, shield=True):
        await trio.to_thread.run_sync(work, limiter=trio.CapacityLimiter(1))


async def checksum(data: bytes) -> str:
    """The MD5 of these bytes, in hexadecimal; off Trio's thread where that takes long. Never cancelled."""
    if len(data) <= _SHORT:
        return _md5(data)  # noqa: ASYNC910 - part of a receive, which is one
    found = ""
    with trio.CancelScope(shield=True):  # for as long as a computation takes
        found = await trio.to_thread.run_sync(_md5, data, limiter=trio.CapacityLimiter(1))
    return found  # noqa: RET504 - as far as types know, a scope may end before its block does


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


async def together(  # noqa: ASYNC910 - as what it is given
    first: Callable[[], Awaitable[A]], second: Callable[[], Awaitable[B]]
) -> tuple[A, B]:
    """Do both at once. A failure of one cancels the other, and is raised bare."""
    failures: list[Exception] = []
    done: list[B] = []

    async def other() -> None:  # noqa: ASYNC910 - as what it is given
        try:
            done.append(await second())
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)
            nursery.cancel_scope.cancel()

    one: list[A] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        try:
            one.append(await first())
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)
            nursery.cancel_scope.cancel()
    if failures:
        raise failures[0]
    return one[0], done[0]


@contextlib.contextmanager
def refusals(path: str | os.PathLike[str]) -> Generator[None]:
    """Make typed errors of what the operating system refuses."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileUnavailable):
            raise
        code = errno.errorcode.get(error.errno or 0, type(error).__qualname__)
        raise FileUnavailable(os.fspath(path), code, error.strerror or str(error)) from error
