"""What a link sends, keeps, drops, acknowledges and sends again."""

from __future__ import annotations

import math

from aip_trio.errors import LinkFault
from aip_trio.protocol.link._limits import LinkLimits
from aip_trio.protocol.link._machine import LINK_MACHINE, LinkEvent, LinkState
from aip_trio.protocol.link._replay import Batch, Replay

__all__ = ["LinkSession"]

#: Received since the last acknowledgement: beyond either it is due at once, else after `_ACK_DELAY`.
_ACK_MESSAGES = 64
_ACK_BYTES = 256 * 1024
_ACK_DELAY = 0.1


class LinkSession:
    """One end of a resumable session: decides, without I/O and clock, by `LINK_MACHINE`.

    Messages have numbers, from 1 in each direction. Each side keeps what it sent until the peer acknowledges
    it, and says on every new connection the last number that it has seen: all after that is sent again, in
    batches that the peer drops where it has them. So each message arrives once, in order, or the session is
    lost.

    Times are in seconds, on any one clock. ``window``: how long it may be detached; ``until``: how long it
    may wait for its first connection.

    Methods that move it on raise IllegalTransition.
    """

    __slots__ = (
        "_owed_bytes",
        "_owed_messages",
        "_tracker",
        "_window",
        "ack_at",
        "ack_wanted",
        "deadline",
        "detached_at",
        "duplicates",
        "offer",
        "replay",
        "resumptions",
        "seen",
    )

    def __init__(self, *, window: float, limits: LinkLimits, until: float = math.inf) -> None:
        self._tracker = LINK_MACHINE.start()
        self._window = window
        #: what this side sends from
        self.replay = Replay(limits)
        #: takes a message, to be sent and kept; False where there is no room (see `Replay.offer`)
        self.offer = self.replay.offer
        #: the last number that has come
        self.seen = 0
        #: messages that came again, and were dropped
        self.duplicates = 0
        #: how often it was attached again
        self.resumptions = 0
        #: when it is lost, unless it is attached before
        self.deadline = until
        #: since when it is detached; minus infinity: it is not
        self.detached_at = -math.inf
        #: whether an acknowledgement is to be sent now, even in a frame of its own
        self.ack_wanted = False
        #: when it will be; infinity: that is not so, or it is wanted already
        self.ack_at = math.inf
        self._owed_messages = self._owed_bytes = 0

    @property
    def state(self) -> LinkState:
        """The state that it is in."""
        return self._tracker.state

    @property
    def over(self) -> bool:
        """Whether it is closed or lost."""
        return self._tracker.done

    @property
    def pending(self) -> bool:
        """Whether there is something to send."""
        return self.ack_wanted or self.replay.pending

    # Sending

    def next_batch(self) -> Batch | None:
        """What to send next: up to 256 messages or 64 KiB, or one message larger than that."""
        return self.replay.next_batch()

    def unsure(self, batch: Batch) -> None:
        """The last batch may have gone, or not: it will be sent again on the same connection."""
        self.replay.unsure(batch)

    def acking(self) -> int:
        """The number to acknowledge in the frame that is being written."""
        self.ack_wanted = False
        self.ack_at = math.inf
        self._owed_messages = self._owed_bytes = 0
        return self.seen

    # Receiving

    def received(self, seq: int, ack: int, messages: list[bytes], size: int, now: float) -> list[bytes]:
        """A batch has come, of ``size`` bytes: the messages in it that are new, in order.

        Raises LinkFault where messages are missing before it, or it acknowledges what was never sent.
        """
        known = self.seen + 1 - seq
        if known < 0:
            raise LinkFault("seq", f"is {seq} where {self.seen + 1} is due: messages are missing")
        self.acknowledged(ack)
        self._owe(len(messages), size, now)
        if known:
            self.duplicates += min(known, len(messages))
            messages = messages[known:]
        self.seen += len(messages)
        return messages

    def acknowledged(self, ack: int) -> bool:
        """The peer has all up to this number: whether that makes room. Raises LinkFault."""
        if ack > self.replay.numbered:
            raise LinkFault("ack", f"is {ack} where {self.replay.numbered} is the last that was sent")
        return self.replay.release(ack)

    def _owe(self, messages: int, size: int, now: float) -> None:
        self._owed_messages += messages
        self._owed_bytes += size
        if self._owed_messages >= _ACK_MESSAGES or self._owed_bytes >= _ACK_BYTES:
            self.want_ack()
        elif not self.ack_wanted:
            self.ack_at = min(self.ack_at, now + _ACK_DELAY)

    def want_ack(self) -> None:
        """Have what has come acknowledged without delay: its time has come, or nothing more is read."""
        if self._owed_messages:
            self.ack_wanted = True
            self.ack_at = math.inf

    # Its life

    def can_resume(self, peer_seen: int) -> bool:
        """Whether a peer can have seen just so much."""
        return self.replay.acknowledged <= peer_seen <= self.replay.numbered

    def attached(self, peer_seen: int) -> None:
        """A connection carries it, whose peer has seen so much, and knows what this side has seen.

        Raises LinkFault where it cannot have.
        """
        resumed = self.state is LinkState.DETACHED
        self._tracker.fire(LinkEvent.ATTACH)
        if not self.can_resume(peer_seen):
            raise LinkFault("seen", f"is {peer_seen}, where it was {self.replay.acknowledged} before")
        self.replay.release(peer_seen)
        self.replay.again()
        self.acking()
        self.resumptions += resumed
        self.deadline, self.detached_at = math.inf, -math.inf

    def detached(self, now: float) -> None:
        """The connection is lost: the window runs."""
        self._tracker.fire(LinkEvent.DETACH)
        self.deadline, self.detached_at = now + self._window, now

    def expire(self, now: float) -> bool:
        """Where the window is over, the session is lost: whether that is so."""
        if now < self.deadline or self.over:
            return False
        self.lost()
        return True

    def lost(self) -> None:
        """It cannot be resumed any more."""
        self._tracker.fire(LinkEvent.LOSE)

    def closed(self) -> None:
        """One side has said goodbye."""
        self._tracker.fire(LinkEvent.CLOSE)
