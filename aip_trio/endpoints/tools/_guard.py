"""A process that ends a program, should the device that started it be killed."""

import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import trio

__all__ = ["guard"]

#: Reads the program's group, and then nothing until all is done. Its input ends without that word where the
#: device was killed: the system closes the pipe, whatever the device did not get to do.
_CODE = """
import os, signal, sys
group = sys.stdin.readline()
if group and not sys.stdin.readline():
    try:
        os.killpg(int(group), signal.SIGKILL)
    except OSError:
        pass
"""

#: Seconds that it has to end.
_GRACE = 2.0


@asynccontextmanager
async def guard() -> AsyncGenerator[Callable[[int], Awaitable[None]]]:
    """Guard what the body starts; it tells the process group of that, at once.

    Costs some 15 ms of a processor. A checkpoint on entry and on exit.
    """
    process = await trio.lowlevel.open_process(
        [sys.executable, "-I", "-S", "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a signal from the terminal must not end it before the device
        env={},
    )
    stdin = process.stdin
    assert stdin is not None

    async def watch(group: int) -> None:  # noqa: ASYNC910 - BrokenResourceError has waited
        with suppress(trio.BrokenResourceError):
            await stdin.send_all(b"%d\n" % group)

    try:
        yield watch
    finally:
        with trio.move_on_after(_GRACE, shield=True):
            with suppress(trio.BrokenResourceError):
                await stdin.send_all(b"done\n")
            await stdin.aclose()
            await process.wait()
        if process.returncode is None:
            process.kill()
            with trio.CancelScope(shield=True):  # SIGKILL is not refused
                await process.wait()
