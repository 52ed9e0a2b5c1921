"""Links that could not be resumed, and peers that broke a link's rules."""

import attrs

from aip_trio.errors._peer import PeerError
from aip_trio.errors._protocol import ProtocolError
from aip_trio.errors._transport import TransportError

__all__ = ["LinkFault", "LinkLost", "LinkRefused"]


@attrs.define(slots=False)
class LinkLost(TransportError):
    """A session was not resumed, and is over. Both ends raise it.

    ``unacknowledged``: how many messages of this side the peer has not acknowledged: each of them may have
    arrived, or not. ``seconds``: how long there had been no connection.
    """

    session: str
    unacknowledged: int
    seconds: float
    reason: str

    def __str__(self) -> str:
        return (
            f"session {self.session!r} is lost, {self.seconds} s after its connection: {self.reason};"
            f" unacknowledged={self.unacknowledged}, of which any may have arrived: open a new link, and ask"
        )


@attrs.define(slots=False)
class LinkFault(ProtocolError):
    """A frame of a link that breaks its rules: ``member`` of it is wrong. The session is over."""

    member: str
    reason: str

    def __str__(self) -> str:
        return f"a frame of the link is not right: {self.member} {self.reason}"


@attrs.define(slots=False)
class LinkRefused(PeerError, ConnectionError):
    """The server has no session for this hello; empty: a new one was asked for."""

    session: str
    reason: str

    def __str__(self) -> str:
        asked = f"to resume session {self.session!r}" if self.session else "for a new session"
        return f"no link for a client that asks {asked}: {self.reason}"
