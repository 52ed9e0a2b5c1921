"""Files that ``ipc://`` sockets listen at.

libzmq removes whatever file has the name, a living server's socket too, and leaves the new one open to
all. So we make the listening socket and hand it over (ZMQ_USE_FD).
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat

import attrs

from aip_trio.errors import AddressInUse, CannotListen

__all__ = ["ListeningFile"]

_BACKLOG = 100  # libzmq's own
_MODE = 0o600


@attrs.frozen
class ListeningFile:
    """One that was made, and is ours until it is removed."""

    path: str
    #: the listening socket; whoever takes it closes it
    descriptor: int
    _inode: tuple[int, int]

    @classmethod
    def make(cls, url: str, path: str) -> ListeningFile:
        """A file that nobody listens at is replaced. Raises AddressInUse, CannotListen."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            try:
                # Before it has a name, so that there is no moment at which others get in.
                os.fchmod(listener.fileno(), _MODE)
                try:
                    listener.bind(path)
                except OSError as error:
                    if error.errno != errno.EADDRINUSE:
                        raise
                    _remove_stale(url, path)
                    listener.bind(path)
                listener.listen(_BACKLOG)
                inode = _inode(path)
            except OSError as error:
                if isinstance(error, (AddressInUse, CannotListen)):
                    raise
                if error.errno == errno.EADDRINUSE:  # between the two lines above
                    raise AddressInUse(url, 0) from error
                raise CannotListen(url, 0, error.strerror or str(error)) from error
            return cls(path, listener.detach(), inode)

    def remove(self) -> None:
        """Unless somebody else's stands there by now."""
        with contextlib.suppress(OSError):
            if _inode(self.path) == self._inode:
                os.unlink(self.path)


def _inode(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def _remove_stale(url: str, path: str) -> None:
    before = _inode(path)
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise CannotListen(url, 0, "a file that is no socket has this name")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            if _inode(path) == before:
                os.unlink(path)
            return
        except BlockingIOError:  # somebody has more calls waiting than it can answer
            pass
    raise AddressInUse(url, 0)
