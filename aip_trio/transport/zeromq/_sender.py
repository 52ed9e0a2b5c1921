"""What goes out of one connection over ZeroMQ."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import attrs
import trio

from aip_trio.errors import TransportError
from aip_trio.transport._codec import Closed
from aip_trio.transport.zeromq._flow import Outflow
from aip_trio.transport.zeromq._wire import Announced, Data, Frames, Oversize, Saying, Taken, write

__all__ = ["Post", "Sender"]

#: Hands a message to libzmq, for this peer. Raises WouldBlock where its queue is full, PeerGone where it has
#: gone.
Post = Callable[[Frames], None]

#: Seconds that a peer has where more waits for it than may.
_PATIENCE = 5.0


@attrs.define(eq=False)
class _Parcel:
    """What waits until the peer has room for it, and a goodbye behind that. ``size``: in bytes."""

    saying: Data | Announced | Closed
    size: int = 0
    sent: bool = False
    over: trio.Event = attrs.field(factory=trio.Event)

    def settle(self, *, sent: bool) -> None:
        self.sent = sent
        self.over.set()


class Sender:
    """Sends for any number of tasks, in the order of their calls, and no more than the peer has room for.

    ``max_size``: bytes of a message that the peer takes. ``most``: bytes that may wait for a peer that takes
    nothing, see `hopeless_at`; ``crowded`` is called when more wait. ``stuck`` is called where libzmq has no
    room for what the peer should have, ``broken`` where there is no way to it any more.
    """

    def __init__(
        self,
        post: Post,
        outflow: Outflow,
        *,
        max_size: int,
        most: float,
        crowded: Callable[[], object],
        stuck: Callable[[], object],
        broken: Callable[[str], object],
    ) -> None:
        self._post = post
        self._outflow = outflow
        self._max_size = max_size
        self._most = most
        self._crowded = crowded
        self._stuck = stuck
        self._broken = broken
        self._queue: deque[_Parcel] = deque()
        self._moved = trio.current_time()  # when the peer last took something
        self._closed = False
        #: bytes of the messages that wait
        self.waiting = 0

    @property
    def idle(self) -> bool:
        """Whether a message can be sent at once, past nobody."""
        return not self._queue and self._outflow.open

    @property
    def unread(self) -> int:
        """What the peer has not taken, as far as is known: what waits, and what is on its way."""
        return self.waiting + self._outflow.ahead

    @property
    def hopeless_at(self) -> float:
        """When the peer is not worth waiting for, if it takes nothing until then: more waits than may.

        Infinity: it is not as bad as that.
        """
        return self._moved + _PATIENCE if self.waiting > self._most else math.inf

    async def send(self, message: Data | Announced, size: int) -> bool:
        """Send a message of so many bytes, and wait until it is on its way. A checkpoint.

        False: it was not, and nothing will be any more. Cancelled: nor was it, but what follows may be.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.idle:
            self.send_now(message)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return True
        parcel = _Parcel(message, size)
        self._enqueue(parcel)
        try:
            await parcel.over.wait()
        except trio.Cancelled:
            if not parcel.over.is_set():
                self._queue.remove(parcel)
                self.waiting -= size
            raise
        return parcel.sent

    def send_now(self, message: Data | Announced) -> None:
        """Send a message, where it is `idle`. Not a checkpoint."""
        sizes = [len(message.data)]
        if isinstance(message, Announced):
            sizes.append(len(message.announcement))
        if max(sizes) > self._max_size:
            self.say(Oversize(max(sizes)))  # its answer is the end
            return
        message.mark = self._outflow.send(*sizes)
        self.say(message)

    def say(self, saying: Saying) -> None:
        """Send it past what waits. There is room for it, where the peer reads what libzmq brings it."""
        if self._closed:
            return
        try:
            self._post(write(saying))
        except trio.WouldBlock:
            if isinstance(saying, (Data, Announced, Taken)):  # others may be lost: the next ping will tell
                self._stuck()
        except (TransportError, trio.ClosedResourceError) as error:
            self._broken(f"the connection broke while something was sent: {error}")

    def part(self, goodbye: Closed) -> None:
        """Send this behind all that waits."""
        self._enqueue(_Parcel(goodbye))
        self._pump()

    def taken(self, mark: bytes) -> None:
        """The peer has taken something: what waited for that goes out. Raises FrameFault."""
        self._outflow.taken(mark)
        self._moved = trio.current_time()
        self._pump()

    def close(self) -> None:
        """Send no more; who waits is told."""
        self._closed = True
        self.waiting = 0
        while self._queue:
            self._queue.popleft().settle(sent=False)

    def _enqueue(self, parcel: _Parcel) -> None:
        if not self._queue:
            self._moved = trio.current_time()
        self._queue.append(parcel)
        self.waiting += parcel.size
        if self.waiting > self._most:
            self._crowded()

    def _pump(self) -> None:
        while self._queue and (isinstance(self._queue[0].saying, Closed) or self._outflow.open):
            parcel = self._queue.popleft()
            self.waiting -= parcel.size
            if isinstance(parcel.saying, Closed):
                self.say(parcel.saying)
            else:
                self.send_now(parcel.saying)
            parcel.settle(sent=not self._closed)
