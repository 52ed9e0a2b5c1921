"""One physical connection, as long as it carries a session."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import trio

from aip_trio.errors import DecodeError, LinkFault, TransportError
from aip_trio.protocol.link._flag import Flag
from aip_trio.protocol.link._frames import Ack, BatchFrame, Bye
from aip_trio.protocol.link._inbox import Inbox
from aip_trio.protocol.link._session import LinkSession
from aip_trio.protocol.link._wire import Wire
from aip_trio.transport import Transport

__all__ = ["Attachment", "Ending"]

#: How it ended: the peer's goodbye, a frame that is none, a loss; None: by this side.
Ending: TypeAlias = Bye | DecodeError | LinkFault | TransportError | None

#: Seconds for reading what the peer said last, once writing to it has failed.
_LAST_WORDS = 1.0


class Attachment:
    """Reads a physical connection, in `run`, and writes to it what the session has to send.

    A task that sends while nobody writes writes by itself; one that does not wait does so once for each frame
    that the peer has sent: so an answer goes at once. What else is offered goes into the next frame, which a
    task writes that lives only while there is something to write: so a lone message never waits, and many go
    together. `run` never waits for a write: two ends that both did would stand still.

    ``released`` is called when the peer's acknowledgement has made room.
    """

    __slots__ = (
        "_farewell",
        "_inbox",
        "_nursery",
        "_over",
        "_prompted",
        "_released",
        "_session",
        "_silenced",
        "_wire",
        "ended",
        "heard",
        "idle",
        "parted",
        "physical",
    )

    def __init__(
        self,
        physical: Transport,
        session: LinkSession,
        wire: Wire,
        inbox: Inbox,
        released: Callable[[], object],
    ) -> None:
        self.physical = physical
        self._session = session
        self._wire = wire
        self._inbox = inbox
        self._released = released
        self._nursery: trio.Nursery | None = None
        self._over = False
        self._silenced = False  # it is over, or broke on writing
        self._farewell: Bye | None = None
        self._prompted = False  # the peer has said something, and nothing was written at once since
        #: whether a task that sends may write by itself: nobody does, or is about to
        self.idle = False
        #: when a frame came, or it began
        self.heard = trio.current_time()
        #: the farewell has been written, or will never be
        self.parted = Flag()
        #: it is over, and its physical connection closed
        self.ended = Flag()

    # Reading

    async def run(self, beside: Callable[[], Awaitable[object]] | None = None) -> Ending:  # noqa: ASYNC910 - not called from outside
        """Until the peer leaves, the connection is lost, or `end` is called; ``beside`` ends with it, too."""
        ending: Ending = None
        if self._over:
            return ending  # noqa: ASYNC910 - not called from outside
        async with trio.open_nursery() as self._nursery:
            self.idle = True
            self.wake()
            if beside is not None:
                self._nursery.start_soon(beside)
            try:
                ending = await self._read()
            except (DecodeError, LinkFault, TransportError) as error:
                ending = error
            finally:  # while the nursery is open: nobody may start a task in one that is not
                self._over = True
                self._silence()
            self._nursery.cancel_scope.cancel()
        return ending

    async def _read(self) -> Bye:
        """All frames; what is to be acknowledged meanwhile is."""
        session = self._session
        while True:
            while session.ack_at == math.inf:
                if bye := await self._read_one():
                    return bye
            # Most are acknowledged long before, by what is sent: one look at the clock does for all of them.
            with trio.CancelScope(deadline=session.ack_at):
                while True:
                    if bye := await self._read_one():
                        return bye
            if session.ack_at <= trio.current_time():
                session.want_ack()
                self.wake()

    async def _read_one(self) -> Bye | None:
        """One frame; a goodbye is returned. Cancelled: none was read."""
        session, inbox = self._session, self._inbox
        if inbox.full:
            session.want_ack()
            self.wake()
            await inbox.room()
        data = await self.physical.receive()
        self.heard = now = trio.current_time()
        self._prompted = True
        frame = self._wire.read(data)
        if type(frame) is BatchFrame:
            acknowledged = session.replay.acknowledged
            messages = session.received(frame.seq, frame.ack, frame.messages, len(data), now)
            if session.replay.acknowledged != acknowledged:
                self._released()
            if messages:
                inbox.put(messages)
            if session.ack_wanted:
                self.wake()
        elif type(frame) is Ack:
            if session.acknowledged(frame.ack):
                self._released()
        elif type(frame) is Bye:
            return frame
        else:
            raise LinkFault("t", f"is {type(frame).__name__}, which has no place in a session")
        return None

    # Writing

    def wake(self) -> None:
        """Have written what there is, if there is anything."""
        if self.idle and (self._session.pending or self._parting) and not self._written_at_once():
            assert self._nursery is not None
            self.idle = False
            self._nursery.start_soon(self._drain)

    def _written_at_once(self) -> bool:
        """Whether what there was to write has been without waiting: an acknowledgement, or an answer."""
        session = self._session
        if self._parting or (not self._prompted and session.replay.pending):
            return False
        batch = session.next_batch()
        try:
            if batch is None:
                self.physical.send_nowait(self._wire.frame(Ack(session.seen)))
            else:
                self._prompted = False
                self.physical.send_nowait(self._wire.batch(batch.first, session.seen, batch.messages))
        except trio.WouldBlock:
            if batch is not None:
                session.unsure(batch)
            return False
        except TransportError:
            self.broke()
            return True
        session.acking()
        return not session.pending

    async def write(self) -> None:
        """Write one frame of what there is, in the task that sends, where it is `idle`. A checkpoint."""
        self.idle = False
        try:
            await self._write()
        finally:
            self.idle = not self._silenced
            self.wake()

    async def part(self, farewell: Bye) -> None:
        """Write all that there is, and then goodbye; wait for that, or for the end. A checkpoint."""
        self._farewell = farewell
        if not self._session.replay.pending:
            self._say(farewell)
        self.wake()
        await self.parted.wait()

    def _say(self, farewell: Bye) -> None:
        """Say goodbye, where that takes no time."""
        if not self.parted.is_set():
            with suppress(trio.WouldBlock, TransportError):
                self.physical.send_nowait(self._wire.frame(farewell))
                self.parted.set()

    async def _drain(self) -> None:  # noqa: ASYNC910 - not called from outside
        try:
            while not self._silenced and (self._session.pending or self._parting):
                await self._write()
        finally:
            self.idle = not self._silenced

    @property
    def _parting(self) -> bool:
        return self._farewell is not None and not self.parted.is_set()

    async def _write(self) -> None:  # noqa: ASYNC910 - not called from outside
        """Write the next frame. Cancelled: it may have gone, or not, and its messages go again."""
        session, parting = self._session, False
        batch = session.next_batch()
        if batch is not None:
            frame = self._wire.batch(batch.first, session.acking(), batch.messages)
        elif session.ack_wanted or self._farewell is None:
            frame = self._wire.frame(Ack(session.acking()))
        else:
            frame, parting = self._wire.frame(self._farewell), True
        try:
            await self.physical.send(frame)
            if parting:
                self.parted.set()
        except TransportError:
            self.broke()
        except BaseException:
            if batch is not None and not self._over:
                session.unsure(batch)
            raise

    def broke(self) -> None:
        """It has, on writing: what the peer has said is still read, for a while."""
        self._silence()
        if self._nursery is not None:
            scope = self._nursery.cancel_scope
            scope.deadline = min(scope.deadline, trio.current_time() + _LAST_WORDS)

    def _silence(self) -> None:
        """Nothing is written any more."""
        self._silenced = True
        self.idle = False
        self.parted.set()

    # The end

    def end(self, farewell: Bye | None = None) -> None:
        """Read and write no more, from this moment on; say goodbye where that takes no time."""
        if farewell is not None:
            self._say(farewell)
        self._over = True
        self._silence()
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()
