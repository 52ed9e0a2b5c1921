"""A socket's options, by libzmq's names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import attrs
import zmq

from aip_trio.errors import InvalidSpec, WrongKind, ZeroMQFailed
from aip_trio.transport.zeromq._kind import Kind

__all__ = ["Options"]

#: libzmq counts milliseconds, and some of them in 32 bits, some as tenths of a second in 16.
_LONGEST = 6553.0
_MOST = 2**31 - 1


@attrs.frozen(kw_only=True)
class Options:
    """What can be set about a socket before it listens or connects; `ZeroMQSocket` says what each is."""

    send_limit: int
    receive_limit: int
    max_size: int
    linger: float
    routing_id: bytes
    heartbeat: float | None
    heartbeat_timeout: float | None
    reconnect: float | None
    reconnect_max: float | None
    immediate: bool
    no_drop: bool
    handover: bool
    others: Mapping[int, int | bytes]

    def check(self, kind: Kind) -> None:
        """Raises InvalidSpec, WrongKind."""
        for name in ("send_limit", "receive_limit"):
            if not 0 <= getattr(self, name) <= _MOST:
                reason = f"give a number of messages up to {_MOST}, or 0 for no limit"
                raise InvalidSpec(name, getattr(self, name), reason)
        if self.max_size < 1:
            raise InvalidSpec("max_size", self.max_size, "give 1 byte or more")
        if len(self.routing_id) > 255 or self.routing_id.startswith(b"\0"):
            raise InvalidSpec("routing_id", self.routing_id, "give 1 to 255 bytes that do not begin with NUL")
        _seconds("linger", self.linger, least=0.0)
        for name in ("heartbeat", "heartbeat_timeout", "reconnect", "reconnect_max"):
            value = getattr(self, name)
            if value is not None:
                _seconds(name, value, least=0.001)
        if self.heartbeat_timeout is not None and self.heartbeat is None:
            raise InvalidSpec("heartbeat_timeout", self.heartbeat_timeout, "give heartbeat= as well")
        if self.reconnect_max is not None and self.reconnect_max < (self.reconnect or math.inf):
            raise InvalidSpec("reconnect_max", self.reconnect_max, f"give reconnect={self.reconnect} or more")
        if self.no_drop and kind not in (Kind.PUB, Kind.XPUB):
            raise WrongKind(kind.name, "drop", "leave out no_drop=, which is for PUB and XPUB")
        if self.handover and kind is not Kind.ROUTER:
            raise WrongKind(kind.name, "know its peers by name", "leave out handover=, which is for ROUTER")

    def apply(self, kind: Kind, socket: zmq.Socket[bytes]) -> None:
        """Raises ZeroMQFailed, where libzmq wants none of an option."""
        for option, value in (*self._named(kind), *self.others.items()):
            try:
                socket.setsockopt(option, value)
            except zmq.ZMQError as error:
                raise ZeroMQFailed(f"setsockopt({option!r}, …)", error.errno or 0, error.strerror) from None

    def _named(self, kind: Kind) -> Iterator[tuple[int, int | bytes]]:
        yield zmq.LINGER, 0  # what is not closed in order must hold up nobody
        yield zmq.SNDHWM, self.send_limit
        yield zmq.RCVHWM, self.receive_limit
        yield zmq.MAXMSGSIZE, self.max_size
        if self.routing_id:
            yield zmq.ROUTING_ID, self.routing_id
        if self.heartbeat is not None:
            timeout = self.heartbeat_timeout or 2 * self.heartbeat
            yield zmq.HEARTBEAT_IVL, _milliseconds(self.heartbeat)
            yield zmq.HEARTBEAT_TIMEOUT, _milliseconds(timeout)
            yield zmq.HEARTBEAT_TTL, min(_milliseconds(timeout), _milliseconds(_LONGEST))
        yield zmq.RECONNECT_IVL, -1 if self.reconnect is None else _milliseconds(self.reconnect)
        if self.reconnect_max is not None:
            yield zmq.RECONNECT_IVL_MAX, _milliseconds(self.reconnect_max)
        if self.immediate:
            yield zmq.IMMEDIATE, 1
        if self.no_drop:
            yield zmq.XPUB_NODROP, 1
        if kind is Kind.ROUTER:
            yield zmq.ROUTER_MANDATORY, 1
        if self.handover:
            yield zmq.ROUTER_HANDOVER, 1


def _seconds(name: str, value: float, *, least: float) -> None:
    if not least <= value <= _LONGEST:  # and not NaN
        raise InvalidSpec(name, value, f"give {least} to {_LONGEST} seconds")


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
