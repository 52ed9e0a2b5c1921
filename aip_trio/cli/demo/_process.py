"""A program of ours as a process of the operating system, which does not outlive its owner."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import trio

import aip_trio

__all__ = ["Process", "Processes", "SharedFile"]

#: Seconds that a process has to end after SIGTERM.
_GRACE = 3.0

_CHUNK = 65536


class SharedFile:
    """A file without a name, for processes that are handed it: whatever happens, none is left on the disk."""

    def __init__(self, content: bytes = b"") -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._file.write(content)
        self._file.flush()

    def fileno(self) -> int:
        """Its descriptor, here and in every process that is handed it."""
        return self._file.fileno()

    @property
    def path(self) -> str:
        """By this such a process opens it, from its beginning."""
        return f"/dev/fd/{self.fileno()}"

    def last_line(self) -> str:
        """The last line of text that was written to it."""
        size = os.fstat(self.fileno()).st_size
        text = os.pread(self.fileno(), _CHUNK, max(0, size - _CHUNK)).decode("utf-8", "replace")
        return (text.strip().splitlines() or [""])[-1]

    def close(self) -> None:
        """It is gone when the last process that has it is."""
        self._file.close()


class Process:
    """``aip-trio …`` in a session of its own.

    It ends when its standard input does: the kernel closes that pipe when this process dies, by SIGKILL too.
    The constructor forks: call it in the main thread.
    """

    def __init__(self, arguments: Sequence[str], handed: Sequence[SharedFile], stderr: SharedFile) -> None:
        ours, theirs = os.pipe()
        try:
            self._popen = subprocess.Popen(
                [*_interpreter(), "-m", "aip_trio", *arguments, "--end-with-stdin"],
                stdin=subprocess.PIPE,
                stdout=theirs,
                stderr=stderr.fileno(),
                pass_fds=[file.fileno() for file in handed],
                cwd=_home(),
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._stdout: int | None = ours
        self.pid = self._popen.pid

    async def read(self, on_line: Callable[[str], None]) -> None:
        """Hand over each line that it writes to standard output, to its end. A checkpoint. Call it once."""
        assert self._stdout is not None
        stream, self._stdout = trio.lowlevel.FdStream(self._stdout), None
        rest = b""
        async with stream:
            async for chunk in stream:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    on_line(line.decode("utf-8", "replace"))

    async def wait(self) -> None:
        """Until it has ended; it stays a zombie, so that its id is nobody else's. A checkpoint."""
        if sys.platform != "linux":
            await trio.to_thread.run_sync(self._popen.wait, abandon_on_cancel=True)
            return
        if self._popen.returncode is not None:
            await trio.lowlevel.checkpoint()
            return
        handle = os.pidfd_open(self.pid)
        try:
            await trio.lowlevel.wait_readable(handle)
        finally:
            trio.lowlevel.notify_closing(handle)
            os.close(handle)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and all that it started in its session; nothing where it has been reaped."""
        if self._popen.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def reap(self) -> int:
        """Kill what is left of it, and return its exit status: minus a signal's number, where one ended it.

        Blocks for a moment, where it runs.
        """
        self.signal(signal.SIGKILL)
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        if self._stdout is not None:
            os.close(self._stdout)
            self._stdout = None
        return self._popen.wait()

    async def end(self) -> None:
        """Have it end in order, and reap it; kill it where that takes too long. A checkpoint."""
        self.signal(signal.SIGTERM)
        try:
            with trio.move_on_after(_GRACE):
                await self.wait()
        finally:
            self.reap()


class Processes:
    """All that were started, and the files they share.

    At the end of the block none is left, whatever became of their owners.
    """

    def __init__(self) -> None:
        self._processes: list[Process] = []
        self._files: list[SharedFile] = []

    def share(self, content: bytes = b"") -> SharedFile:
        """See `SharedFile`."""
        file = SharedFile(content)
        self._files.append(file)
        return file

    def start(self, arguments: Sequence[str], handed: Sequence[SharedFile], stderr: SharedFile) -> Process:
        """See `Process`."""
        process = Process(arguments, handed, stderr)
        self._processes.append(process)
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.reap()
        for file in self._files:
            file.close()


def _home() -> str:
    """The folder that this very package is in."""
    return os.path.dirname(os.path.dirname(os.path.abspath(aip_trio.__file__)))


def _interpreter() -> list[str]:
    """Python, so that it finds this package where we did, and takes no module from a folder at hand."""
    return [sys.executable, "-P"] if _home() in sys.path[1:] else [sys.executable]
