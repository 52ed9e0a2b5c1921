"""Whom a message came from."""

from __future__ import annotations

import attrs
import zmq

__all__ = ["Delivery", "Peer"]

_SRCFD = int(zmq.SRCFD)


@attrs.frozen
class Peer:
    """What libzmq knows of the connection that a message came over."""

    #: the peer's IP address, without a port; "" where it has none (ipc, inproc)
    host: str
    #: the number that `SocketEvent.connection` has of it; -1: none (inproc)
    connection: int
    #: the peer's CURVE key, of 40 characters, once it was found to be its own; "" without CURVE
    key: str


class Delivery:
    """A message, and whom it came from: that is looked up when it is asked for."""

    __slots__ = ("_last", "frames")

    def __init__(self, frames: list[bytes], last: zmq.Frame) -> None:
        self.frames = frames
        self._last = last

    @property
    def peer(self) -> Peer:
        """Whom it came from."""
        return Peer(self._property("Peer-Address"), self._connection(), self._property("User-Id"))

    def _property(self, name: str) -> str:
        try:
            value = self._last.get(name)
        except zmq.ZMQError:  # it has none
            return ""
        return value if isinstance(value, str) else ""

    def _connection(self) -> int:
        try:
            number = self._last.get(_SRCFD)
        except zmq.ZMQError:
            return -1
        return number if isinstance(number, int) else -1
