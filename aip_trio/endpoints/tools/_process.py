"""A program that leaves nothing behind."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs
import trio

from aip_trio.endpoints.tools._guard import guard

__all__ = ["Ended", "run_process"]

logger = logging.getLogger("aip_trio.endpoints")

#: Seconds that a program has to end after SIGTERM, and its output to end after it has.
GRACE = 2.0
#: Seconds until a process that was sent SIGKILL, and does not end, is given up; and until its output is.
_KILL_GRACE = 5.0
_LAST_OUTPUT = 0.5


@attrs.frozen
class Ended:
    """A program's end. ``exit_status``: minus the signal's number, where one ended it.

    ``truncated``: there was more output than was to be kept, or it did not come to an end.
    """

    exit_status: int
    stdout: bytes
    stderr: bytes
    truncated: bool


@attrs.define(eq=False)
class _Output:
    """The first ``most`` bytes of a stream; the rest is read and dropped, so that its writer never waits."""

    most: int
    kept: bytearray = attrs.field(factory=bytearray)
    truncated: bool = True  # until its end has come
    ended: trio.Event = attrs.field(factory=trio.Event)

    async def drain(self, stream: trio.abc.ReceiveStream) -> None:
        total = 0
        try:
            async for chunk in stream:
                self.kept += chunk[: self.most - len(self.kept)]
                total += len(chunk)
            self.truncated = total > self.most
        finally:
            self.ended.set()


async def run_process(
    command: Sequence[str],
    *,
    cwd: str,
    environment: Mapping[str, str],
    stdin: bytes | None = None,
    most_output: int,
) -> Ended:
    """Run a program in a session of its own, to its end, and return what it wrote.

    ``command``: the program's absolute path, and its arguments; no shell. ``most_output``: bytes to keep of
    stdout, and of stderr.

    The program's end is that of its first process; what that leaves running in its group has `GRACE` seconds
    to end what it writes, and is killed. When the caller is cancelled, the whole group is sent SIGTERM and,
    at most `GRACE` seconds later, SIGKILL; when this process is killed, SIGKILL at once. What leaves the
    group on purpose, as a daemon does, is beyond that, but holds nobody up.

    Raises OSError or ValueError where the program cannot be started. A checkpoint.
    """
    async with guard() as watch:
        process = await trio.lowlevel.open_process(
            list(command),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment,
            start_new_session=True,
        )
        return await _conduct(process, stdin, most_output, watch)


async def _conduct(
    process: trio.Process,
    stdin: bytes | None,
    most_output: int,
    watch: Callable[[int], Awaitable[None]],
) -> Ended:
    assert process.stdout is not None
    assert process.stderr is not None
    stdout, stderr = _Output(most_output), _Output(most_output)
    async with process.stdout, process.stderr, trio.open_nursery() as streams:
        streams.start_soon(stdout.drain, process.stdout)
        streams.start_soon(stderr.drain, process.stderr)
        if process.stdin is not None:
            streams.start_soon(_feed, process.stdin, stdin or b"")
        try:
            await watch(process.pid)
            await _first_ended(process)
        except trio.Cancelled:
            _signal(process, signal.SIGTERM)
            raise
        finally:
            with trio.move_on_after(GRACE, shield=True):
                await _first_ended(process)
                await _drained(stdout, stderr)
            _signal(process, signal.SIGKILL)
            with trio.move_on_after(_LAST_OUTPUT, shield=True):
                await _drained(stdout, stderr)
            with trio.move_on_after(_KILL_GRACE, shield=True) as waiting:
                await process.wait()
            if waiting.cancelled_caught:
                logger.error("process %d does not end after SIGKILL: it is left behind", process.pid)
            streams.cancel_scope.cancel()
    truncated = stdout.truncated or stderr.truncated
    return Ended(await process.wait(), bytes(stdout.kept), bytes(stderr.kept), truncated)


async def _drained(stdout: _Output, stderr: _Output) -> None:
    await stdout.ended.wait()
    await stderr.ended.wait()


async def _first_ended(process: trio.Process) -> None:
    """Wait for a group's first process, and do not reap it: its id, the group's, stays out of use."""
    if sys.platform == "linux":
        try:
            handle = os.pidfd_open(process.pid)
        except OSError:  # a kernel that has no such thing
            pass
        else:
            try:
                await trio.lowlevel.wait_readable(handle)
            finally:
                trio.lowlevel.notify_closing(handle)
                os.close(handle)
            return
    await process.wait()


def _signal(process: trio.Process, number: signal.Signals) -> None:
    """Send a signal to whatever is left of a group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


async def _feed(stream: trio.abc.SendStream, data: bytes) -> None:  # noqa: ASYNC910 - BrokenResourceError has waited
    with contextlib.suppress(trio.BrokenResourceError):  # a program need not read it all
        async with stream:
            await stream.send_all(data)
