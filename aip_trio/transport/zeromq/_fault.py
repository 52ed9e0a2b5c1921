"""Names for what libzmq refuses."""

from __future__ import annotations

import trio
import zmq

from aip_trio.errors import OutOfStep, PeerGone, WrongKind, ZeroMQFailed
from aip_trio.transport.zeromq._kind import Kind

__all__ = ["Frame", "closed", "named"]

#: What a message is made of. Each is copied, once, when it is sent.
Frame = bytes | bytearray | memoryview

_CLOSED = (zmq.ENOTSOCK, zmq.ETERM)


def named(error: zmq.ZMQError, kind: Kind, call: str, first: Frame = b"") -> Exception:
    """The exception for it. ``call``: send or receive; ``first``: the first frame of what was to be sent."""
    code = error.errno
    if code in _CLOSED:
        return closed()
    if code == zmq.EHOSTUNREACH:
        return PeerGone(bytes(first))
    if code == zmq.EFSM:
        return OutOfStep(kind.name, call)
    if code == zmq.ENOTSUP:
        others = [each.name for each in Kind if (each.sends if call == "send" else each.receives)]
        return WrongKind(kind.name, call, f"take {', '.join(others)}")
    return ZeroMQFailed(call, code or 0, error.strerror)


def closed() -> trio.ClosedResourceError:
    """What every call on a closed socket raises."""
    return trio.ClosedResourceError("this ZeroMQ socket is closed: make a new one")
