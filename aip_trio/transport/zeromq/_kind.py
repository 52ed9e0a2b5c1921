"""The kinds of ZeroMQ sockets, and what each does at its high-water mark."""

from __future__ import annotations

import enum

import attrs
import zmq

__all__ = ["Kind", "WhenFull"]


class WhenFull(enum.Enum):
    """What `ZeroMQSocket.send` does where a peer has as much waiting for it as the high-water mark allows."""

    #: wait, until there is room
    WAIT = "wait"
    #: leave this message out for that peer alone: the others get it
    DROP_FOR_THAT_PEER = "drop for that peer"
    #: the kind sends nothing
    NEVER_SENDS = "never sends"


@attrs.frozen
class _Traits:
    type: int
    sends: bool
    receives: bool
    when_full: WhenFull


class Kind(enum.Enum):
    """A socket's kind."""

    #: to all who have subscribed
    PUB = _Traits(zmq.PUB, True, False, WhenFull.DROP_FOR_THAT_PEER)
    #: PUB that receives the subscriptions of its peers: ``b"\\x01" + topic``, ``b"\\x00" + topic``
    XPUB = _Traits(zmq.XPUB, True, True, WhenFull.DROP_FOR_THAT_PEER)
    #: from all whom it is connected to, what it has subscribed to
    SUB = _Traits(zmq.SUB, False, True, WhenFull.NEVER_SENDS)
    #: each message to one peer, by turns
    PUSH = _Traits(zmq.PUSH, True, False, WhenFull.WAIT)
    #: from all peers, by turns
    PULL = _Traits(zmq.PULL, False, True, WhenFull.NEVER_SENDS)
    #: a question, its answer, and so on
    REQ = _Traits(zmq.REQ, True, True, WhenFull.WAIT)
    #: a question from anybody, its answer, and so on
    REP = _Traits(zmq.REP, True, True, WhenFull.DROP_FOR_THAT_PEER)
    #: the first frame names the peer that a message is from, or for; where it is not there: PeerGone
    ROUTER = _Traits(zmq.ROUTER, True, True, WhenFull.WAIT)
    #: to one peer by turns, from all: REQ and PUSH that keep no step
    DEALER = _Traits(zmq.DEALER, True, True, WhenFull.WAIT)
    #: to one peer and from it
    PAIR = _Traits(zmq.PAIR, True, True, WhenFull.WAIT)

    @property
    def when_full(self) -> WhenFull:
        """What sending does at the high-water mark."""
        return self.value.when_full

    @property
    def sends(self) -> bool:
        """Whether it sends messages."""
        return self.value.sends

    @property
    def receives(self) -> bool:
        """Whether it receives messages."""
        return self.value.receives
