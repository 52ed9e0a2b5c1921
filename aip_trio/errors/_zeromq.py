"""What goes wrong with ZeroMQ's sockets."""

import attrs

from aip_trio.errors._base import show
from aip_trio.errors._transport import TransportError
from aip_trio.errors._usage import UsageError

__all__ = [
    "CurveMissing",
    "InvalidFrames",
    "InvalidKey",
    "OutOfStep",
    "PeerGone",
    "WrongKind",
    "ZeroMQFailed",
    "ZeroMQMissing",
]


@attrs.define(slots=False)
class ZeroMQMissing(UsageError, ImportError):
    """pyzmq is not installed."""

    reason: str

    def __str__(self) -> str:
        return f"no ZeroMQ here ({self.reason}): pip install 'aip-trio[zmq]'"


@attrs.define(slots=False)
class CurveMissing(UsageError, ImportError):
    """This libzmq was built without CURVE, which encrypts and tells who is who."""

    version: str

    def __str__(self) -> str:
        return (
            f"libzmq {self.version} has no CURVE: install a pyzmq wheel, or a libzmq that was built with it"
        )


@attrs.define(slots=False)
class InvalidKey(UsageError, ValueError):
    """What was given as a CURVE key is none. It is not shown, because it may be most of a secret."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field} {self.reason}: give 40 characters as CurveKeys.generate() makes them"


@attrs.define(slots=False)
class WrongKind(UsageError, TypeError):
    """A socket of this kind does not do what was asked of it."""

    kind: str
    call: str
    advice: str

    def __str__(self) -> str:
        return f"a {self.kind} socket does not {self.call}: {self.advice}"


@attrs.define(slots=False)
class OutOfStep(UsageError, RuntimeError):
    """REQ and REP send and receive by turns, and it was the other's turn."""

    kind: str
    call: str

    def __str__(self) -> str:
        turn = "receive" if self.call == "send" else "send"
        return (
            f"a {self.kind} socket cannot {self.call} now: {turn} first, or take DEALER and ROUTER,"
            " which keep no turns"
        )


@attrs.define(slots=False)
class InvalidFrames(UsageError, TypeError):
    """What was offered for sending is no message; nothing of it was sent."""

    frames: object
    reason: str

    def __str__(self) -> str:
        return f"frames={show(self.frames)}: {self.reason}"


@attrs.define(slots=False)
class PeerGone(TransportError):
    """A ROUTER has no connection with the peer that the first frame names; nothing was sent."""

    peer: bytes

    def __str__(self) -> str:
        return f"no connection with peer {show(self.peer)}: it has gone, or has not said anything yet"


@attrs.define(slots=False)
class ZeroMQFailed(TransportError):
    """libzmq refused a call for a reason that has no class of its own. ``code`` is its errno."""

    call: str
    code: int
    reason: str

    def __str__(self) -> str:
        return f"ZeroMQ's {self.call} failed, errno={self.code}: {self.reason}"
