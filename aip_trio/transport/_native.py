"""An open WebSocket of our own: a stream of Trio, and a codec.

trio-websocket has limits that cannot be mended from outside: it counts a text's characters, its reader stalls
on a full queue, and pongs and the closing handshake with it, and a message takes twice the time. For
connections that are trio-websocket's own see `create_adapter`.
"""

from __future__ import annotations

import math
from contextlib import suppress

import trio

from aip_trio.errors import ConnectionLost, PeerSilent, PeerTooSlow, TransportError
from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._codec import Closed, FrameFault, Pinged, Ponged
from aip_trio.transport._codes import ABNORMAL, POLICY
from aip_trio.transport._keepalive import Beat, Keepalive
from aip_trio.transport._life import Life
from aip_trio.transport._opened import Opened, names_of, peer_of
from aip_trio.transport._outbox import Outbox, Parcel
from aip_trio.transport._pings import Pings
from aip_trio.transport._reader import End, Reader
from aip_trio.transport._settings import Settings

__all__ = ["NativeWebSocket"]

#: Seconds for reading what the peer said last, once writing to it has failed.
_LAST_WORDS = 1.0
_CHUNK = 65536


class NativeWebSocket(WebSocketAdapter):
    """One connection, from the end of its handshake to the end of its socket.

    `run` is its one task, without which nothing works: it keeps alive, reads where nobody receives, and ends
    everything. ``life`` is told of the end, by whichever side.
    """

    def __init__(self, opened: Opened, *, settings: Settings, life: Life, nursery: trio.Nursery) -> None:
        self.life = life
        self._stream = stream = opened.stream
        self._peer = peer_of(stream)
        self._settings = settings
        self._subprotocol = opened.subprotocol
        self._frames = opened.codec
        self._reader = Reader(stream, self._frames, self._control, self._waits)
        most = math.inf if settings.queued_bytes is None else settings.queued_bytes
        self._outbox = Outbox(stream, nursery, self._give_last_words, most=most, crowded=self._look_again)
        self._keepalive = Keepalive(settings.ping_interval, settings.ping_timeout, trio.current_time())
        self._pings = Pings()
        self._ping: Parcel | None = None
        self._pong: Parcel | None = None
        self._open = True
        self._closing = False  # by a close frame of ours that came first
        self._broken = False  # on writing
        self._concluded = False
        self._code: int | None = None
        self._reason = ""
        self._scope = trio.CancelScope()
        self._ended = trio.Event()

    # For its users

    async def send(self, data: str) -> None:
        await self.send_text(data.encode())

    async def send_text(self, data: bytes) -> None:
        self._check("send()")
        await self._write(self._frames.text(data))

    async def send_bytes(self, data: bytes) -> None:
        self._check("send()")
        await self._write(self._frames.binary(data))

    async def send_announced(self, text: bytes, data: bytes) -> None:
        self._check("send()")
        await self._write(self._frames.text(text) + self._frames.binary(data))

    def send_nowait(self, data: bytes, *, text: bool) -> None:
        if not (self._open and self._outbox.idle):
            raise trio.WouldBlock
        frame = self._frames.text(data) if text else self._frames.binary(data)
        try:
            self._outbox.write_now(frame)
        except trio.BrokenResourceError:
            return  # what comes next will say so

    async def _write(self, frame: bytes) -> None:
        with suppress(trio.BrokenResourceError):
            await self._outbox.write(frame)
            return
        await self._ended.wait()  # then it is known why: a close frame may still be on its way to us
        raise self.life.refusal("send()")

    def _check(self, call: str) -> None:
        if not self._open:
            raise self.life.refusal(call)

    async def receive_auto(self) -> str | bytes:
        data, text = await self._reader.get()
        return data.decode() if text else data

    async def receive_bytes(self) -> bytes:
        return (await self._reader.get())[0]

    async def ping(self) -> None:
        self._check("ping()")
        with self._pings.expect(self._send_ping()) as pong:
            self._reader.hurry()
            if not await pong.wait():
                raise self.life.refusal("ping()")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._open:
            self._open = False
            self._closing = True
            self.life.closing()
            self._reader.discard(self._no_more)
            self._outbox.put(self._frames.close(code, reason))
            self._reader.hurry()
        try:
            with trio.move_on_after(self._settings.close_timeout):
                await self._ended.wait()
        finally:
            self._scope.cancel()
            with trio.CancelScope(shield=True):  # `run` ends at once: it waits for nothing in its cleanup
                await self._ended.wait()

    async def wait_closed(self) -> None:
        await self._ended.wait()

    def is_open(self) -> bool:
        return self._open

    @property
    def peer(self) -> str:
        return self._peer

    @property
    def peer_names(self) -> tuple[str, ...]:
        return names_of(self._stream)

    @property
    def last_heard(self) -> float:
        return self._reader.last_heard

    @property
    def subprotocol(self) -> str | None:
        return self._subprotocol

    @property
    def close_code(self) -> int | None:
        return self._code

    @property
    def close_reason(self) -> str:
        return self._reason

    # Its task

    async def run(self) -> None:
        """Look after the connection until it is over, and close everything. A checkpoint; raises nothing."""
        loss: TransportError | None = None
        try:
            with self._scope:
                loss = await self._serve()
            if loss is None and self._broken:
                loss = _lost("the connection broke while something was sent")
        finally:
            with trio.CancelScope(shield=True):  # closing forcefully waits for nobody
                await trio.aclose_forcefully(self._stream)
            self._outbox.close()
            self._conclude(loss, ABNORMAL, "")
            self._ended.set()

    async def _serve(self) -> TransportError | None:
        """Until the end; return what it was, None for this side."""
        while self._reader.end is None:
            # Once this side closes, close_timeout is all that counts.
            due = min(self._keepalive.due(self._reader.quiet_since), self._outbox.hopeless_at)
            await self._reader.attend(due if self._open else math.inf)
            if self._reader.end is None and self._open:
                if trio.current_time() >= self._outbox.hopeless_at:
                    return await self._throw_out()
                silent = self._beat()
                if silent is not None:
                    return silent
        return await self._finish(self._reader.end)

    def _look_again(self) -> None:
        self._reader.wake_at(self._outbox.hopeless_at)

    async def _throw_out(self) -> TransportError:
        """The peer does not take what waits for it: tell it, if it takes that, and keep nothing for it."""
        loss = PeerTooSlow(self._outbox.waiting, self._settings.queued_bytes or 0)
        self._conclude(loss, POLICY, "read faster")
        with trio.move_on_after(_LAST_WORDS), suppress(trio.BrokenResourceError):
            await self._outbox.part(
                self._frames.close(POLICY, f"{loss.queued} bytes wait for you: read faster")
            )
        return loss  # noqa: ASYNC910 - not called from outside

    def _beat(self) -> PeerSilent | None:
        """Do what is due to keep the connection alive; return that the peer is not."""
        now, quiet_since = trio.current_time(), self._reader.quiet_since
        beat = self._keepalive.beat(now, quiet_since)
        if beat is Beat.GIVE_UP:
            return PeerSilent(round(now - quiet_since, 3))
        stuck, patience = now - self._outbox.stuck_since, self._settings.ping_timeout
        if patience is not None and stuck >= patience:  # it may talk without end, and never listen
            return PeerSilent(round(stuck, 3))
        if beat is Beat.PING:
            self._send_ping()
        return None

    def _send_ping(self) -> bytes:
        payload = self._pings.number()
        self._ping = self._outbox.put(self._frames.ping(payload), self._ping)
        return payload

    def _waits(self) -> bool:
        """Whether somebody waits for what the peer says, and does not receive."""
        return self._closing or self._broken or bool(self._pings)

    def _control(self, frame: Pinged | Ponged) -> None:
        """Of several pings that wait for an answer the last one gets it (RFC 6455, section 5.5.3)."""
        if isinstance(frame, Ponged):
            self._pings.answer(frame.payload)
        elif self._open:
            self._pong = self._outbox.put(self._frames.pong(frame.payload), self._pong)

    async def _finish(self, end: End) -> TransportError | None:
        """There is no more to read: do what is left, and return what it was."""
        if isinstance(end, Closed):
            return await self._part(end)
        if isinstance(end, FrameFault):
            self._conclude(end.error, end.code, end.reason)
            await self._protest(end)
            return end.error
        loss = _lost("the connection broke, or the peer left without a close frame")
        loss.__cause__ = end.with_traceback(None)  # which would lead to this connection again
        return loss  # noqa: ASYNC910 - not called from outside

    async def _part(self, closed: Closed) -> TransportError | None:
        """The peer's close frame is there: answer it, unless it is the answer to ours."""
        self._code, self._reason = closed.code, closed.reason
        if self._closing:
            return None  # noqa: ASYNC910 - not called from outside
        self._open = False
        loss = ConnectionLost(closed.code, closed.reason)
        self.life.closing(loss)
        with trio.move_on_after(self._settings.close_timeout):
            with suppress(trio.BrokenResourceError):  # the peer does not wait for it
                await self._outbox.write(self._frames.close(closed.code, closed.reason))
        return loss  # noqa: ASYNC910 - not called from outside

    async def _protest(self, fault: FrameFault) -> None:  # noqa: ASYNC910 - not called from outside
        """Tell the peer what it did, and stay until it has read that.

        Closing while its bytes come in would make the system reset the connection, and take our frame back.
        """
        with trio.move_on_after(self._settings.close_timeout):
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                if not self._closing:
                    await self._outbox.write(self._frames.close(fault.code, fault.reason))
                if isinstance(self._stream, trio.abc.HalfCloseableStream):
                    await self._stream.send_eof()
                while await self._stream.receive_some(_CHUNK):
                    pass

    def _give_last_words(self) -> None:
        """Writing has failed: whatever the peer still has to say it says now."""
        self._broken = True
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + _LAST_WORDS)
        self._reader.hurry()

    def _conclude(self, loss: TransportError | None, code: int, reason: str) -> None:
        """Nothing can be sent, nor will come, any more: tell everybody, once. None: by this side."""
        if self._concluded:
            return
        self._concluded = True
        self._open = False
        if self._code is None:
            self._code, self._reason = code, reason
        if self._closing:
            loss = None
        if self.life.connected and loss is not None:
            self.life.fail(loss)
        else:
            self.life.end(loss)
        if loss is None:
            self._reader.discard(self._no_more)
        else:
            self._reader.close(self._no_more)
        self._pings.give_up()

    def _no_more(self) -> TransportError:
        return self.life.refusal("receive()")


def _lost(reason: str) -> ConnectionLost:
    return ConnectionLost(ABNORMAL, reason)
