"""A WebSocket that a web framework holds, with tasks of its own."""

from __future__ import annotations

import math
from collections import deque
from contextlib import suppress

import attrs
import trio

from aip_trio.errors import ConnectionLost, MessageTooLarge, PeerSilent, PeerTooSlow, TransportError
from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._asgi_socket import AsgiSocket
from aip_trio.transport._codec import cut
from aip_trio.transport._codes import ABNORMAL, POLICY, TOO_BIG
from aip_trio.transport._inbox import Inbox
from aip_trio.transport._keepalive import Beat, Keepalive
from aip_trio.transport._life import Life
from aip_trio.transport._settings import Settings

__all__ = ["AsgiWebSocket"]

#: RFC 6455, 7.4.1
_GOING_AWAY = 1001

#: Seconds for telling a peer why it is thrown out, or that the framework is: it may read nothing any more.
_LAST_WORDS = 1.0
#: Seconds that a peer for which too much waits may take nothing of it.
_GRACE = 5.0


@attrs.define(eq=False)
class _Parcel:
    """A message that waits to be sent."""

    data: str | bytes
    begun: bool = False
    sent: bool = False
    settled: trio.Event = attrs.field(factory=trio.Event, init=False)

    def settle(self, *, sent: bool) -> None:
        self.sent = sent
        self.settled.set()


class AsgiWebSocket(WebSocketAdapter):
    """One connection, from its acceptance to its end, as `NativeWebSocket` is where the socket is ours.

    `run` and `see_off` are its tasks, without which nothing works; they belong into the framework's task,
    which the server keeps the connection open for. They stand between: an ASGI server may let nobody cancel a
    send that has begun, takes messages for a peer that has gone, and keeps nobody alive. Here a send is given
    up at once or goes out whole, the end is seen while nobody receives, and who is silent is cut off.

    `run` is shielded from the framework's cancellation, so that `see_off`, which is not, can say goodbye.
    """

    def __init__(self, socket: AsgiSocket, settings: Settings, life: Life) -> None:
        self.life = life
        self._socket = socket
        self._settings = settings
        self._inbox = Inbox()
        self._queue: deque[_Parcel] = deque()
        self._moved = trio.current_time()  # when the server last took something
        self._wakes = trio.lowlevel.ParkingLot()
        self._nap = trio.CancelScope()
        self._listening_since = trio.current_time()
        self._pings: set[trio.CancelScope] = set()
        self._goodbye: tuple[int, str] | None = None
        self._open = True
        self._concluded = False
        self._code: int | None = None
        self._reason = ""
        self._scope = trio.CancelScope(shield=True)
        self._ended = trio.Event()

    # For its users

    async def send(self, data: str) -> None:
        await self._send(data)

    async def send_bytes(self, data: bytes) -> None:
        await self._send(data)

    async def send_announced(self, text: bytes, data: bytes) -> None:
        await self._send(str(text, "utf-8"), data)

    async def _send(self, *frames: str | bytes) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        self._check("send()")
        if not self._queue:
            self._moved = trio.current_time()
        parcels = [_Parcel(data) for data in frames]
        self._queue.extend(parcels)
        self._wakes.unpark_all()
        self._nap.deadline = min(self._nap.deadline, self._hopeless_at)
        try:
            await parcels[-1].settled.wait()
        except trio.Cancelled:
            if not parcels[0].begun and not self._concluded:
                for parcel in parcels:
                    self._queue.remove(parcel)
            raise
        if not parcels[-1].sent:
            raise self.life.refusal("send()")

    async def receive_auto(self) -> str | bytes:
        data, text = await self._inbox.get()
        return data.decode() if text else data

    async def receive_bytes(self) -> bytes:
        return (await self._inbox.get())[0]

    async def ping(self) -> None:
        self._check("ping()")
        with trio.CancelScope() as scope:
            self._pings.add(scope)
            try:
                await self._socket.ping()
            finally:
                self._pings.discard(scope)
        if scope.cancelled_caught:
            raise self.life.refusal("ping()")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._open:
            self._open = False
            self.life.closing()
            self._inbox.end(self._no_more, drop=True)
            self._goodbye = (code, cut(reason))
            self._wakes.unpark_all()
        try:
            with trio.move_on_after(self._settings.close_timeout):
                await self._ended.wait()
        finally:
            self._finish()

    async def wait_closed(self) -> None:
        await self._ended.wait()

    def is_open(self) -> bool:
        return self._open

    @property
    def peer(self) -> str:
        return self._socket.peer

    @property
    def last_heard(self) -> float:
        return self._socket.last_heard

    @property
    def subprotocol(self) -> str | None:
        return self._socket.subprotocol

    @property
    def close_code(self) -> int | None:
        return self._code

    @property
    def close_reason(self) -> str:
        return self._reason

    def _check(self, call: str) -> None:
        if not self._open:
            raise self.life.refusal(call)

    # Its tasks

    async def see_off(self) -> None:
        """Wait to be cancelled, as its framework is, and say goodbye then. A checkpoint; raises Cancelled."""
        try:
            await trio.sleep_forever()
        finally:
            if not self._ended.is_set():
                with trio.move_on_after(_LAST_WORDS, shield=True):
                    await self.close(_GOING_AWAY, "the server goes away")

    async def run(self) -> None:
        """Look after the connection until it is over. A checkpoint; raises nothing."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write)
                    nursery.start_soon(self._keep)
                    await self._read()
                    nursery.cancel_scope.cancel()
        finally:
            self._finish()

    async def _read(self) -> None:  # noqa: ASYNC910 - not called from outside
        """Until the end, whoever receives."""
        try:
            while True:
                data = await self._socket.receive()
                message = (data, False) if isinstance(data, bytes) else (data.encode(), True)
                size = len(message[0])
                if size > self._settings.max_size and self._open:
                    await self._throw_out(
                        MessageTooLarge(size, self._settings.max_size),
                        TOO_BIG,
                        f"a message of {size} bytes, the limit is {self._settings.max_size}",
                    )
                    return
                self._inbox.put(message)
                if self._inbox.full:
                    await self._inbox.room()
                    self._listening_since = trio.current_time()
        except ConnectionLost as lost:
            self._conclude(lost, lost.code, lost.reason)

    async def _write(self) -> None:  # noqa: ASYNC910 - not called from outside
        """What waits, in order; at last the goodbye."""
        try:
            while True:
                while self._queue:
                    parcel = self._queue[0]
                    parcel.begun = True
                    self._moved = trio.current_time()
                    await self._socket.send(parcel.data)
                    if self._concluded:
                        return
                    self._queue.popleft()
                    self._moved = trio.current_time()
                    parcel.settle(sent=True)
                if self._goodbye is not None:
                    await self._socket.close(*self._goodbye)
                    return
                await self._wakes.park()
        except ConnectionLost as lost:
            self._conclude(lost, lost.code, lost.reason)
            self._scope.cancel()

    async def _keep(self) -> None:
        """Ping the peer, and cut it off when it is silent, or lets too much wait for it."""
        settings = self._settings
        keepalive = Keepalive(settings.ping_interval, settings.ping_timeout, trio.current_time())
        async with trio.open_nursery() as nursery:
            while self._open:
                due = min(keepalive.due(self._quiet_since), self._hopeless_at)
                with trio.CancelScope(deadline=due) as self._nap:
                    await trio.sleep_forever()
                now, quiet_since = trio.current_time(), self._quiet_since
                if not self._open:
                    return
                if now >= self._hopeless_at:
                    slow = PeerTooSlow(self._waiting, settings.queued_bytes or 0)
                    await self._throw_out(slow, POLICY, f"{slow.queued} bytes wait for you: read faster")
                    return
                beat = keepalive.beat(now, quiet_since)
                stuck = now - self._moved if self._queue else 0.0
                if beat is Beat.GIVE_UP or stuck >= settings.ping_timeout:
                    silent = PeerSilent(round(max(stuck, now - quiet_since), 3))
                    self._conclude(silent, ABNORMAL, str(silent))
                    self._finish()
                    return
                if beat is Beat.PING and not self._pings:
                    nursery.start_soon(self._ping)

    async def _ping(self) -> None:  # noqa: ASYNC910 - not called from outside
        with suppress(TransportError):
            await self.ping()

    @property
    def _quiet_since(self) -> float:
        """Since when nothing came though somebody listened: what waits behind a full inbox may be a sign."""
        return trio.current_time() if self._inbox.full else max(self.last_heard, self._listening_since)

    @property
    def _waiting(self) -> int:
        return sum(len(parcel.data) for parcel in self._queue)

    @property
    def _hopeless_at(self) -> float:
        """When a peer counts as one that does not read."""
        most = self._settings.queued_bytes
        return self._moved + _GRACE if most is not None and self._waiting > most else math.inf

    async def _throw_out(  # noqa: ASYNC910 - not called from outside
        self, loss: TransportError, code: int, reason: str
    ) -> None:
        """Tell the peer why, if it takes that, and keep nothing for it."""
        self._conclude(loss, code, reason)
        with trio.move_on_after(_LAST_WORDS), suppress(ConnectionLost):
            await self._socket.close(code, reason)
            while True:  # to its own close frame: the end of the socket would take ours back
                await self._socket.receive()
        self._finish()

    def _finish(self) -> None:
        """Nothing of it is left, but perhaps a send that the server does not let go."""
        if not self._ended.is_set():
            self._conclude(None, ABNORMAL, "")
            self._ended.set()
            self._scope.cancel()
            self._socket.cut()

    def _conclude(self, loss: TransportError | None, code: int, reason: str) -> None:
        """Nothing can be sent, nor will come, any more: tell everybody, once. None: by this side."""
        if self._concluded:
            return
        self._concluded = True
        self._open = False
        if self._goodbye is not None:
            if loss is not None:  # the end came in answer to it; most servers do not tell the peer's own code
                code, reason = self._goodbye
            loss = None
        self._code, self._reason = code, reason
        if self.life.connected and loss is not None and _broken(loss):
            self.life.fail(loss)
        else:
            self.life.end(loss)
        self._inbox.end(self._no_more, drop=loss is None)
        for scope in self._pings:
            scope.cancel()
        while self._queue:
            self._queue.popleft().settle(sent=False)
        self._wakes.unpark_all()
        self._nap.cancel()

    def _no_more(self) -> TransportError:
        return self.life.refusal("receive()")


def _broken(loss: TransportError) -> bool:
    return not isinstance(loss, ConnectionLost) or loss.code == ABNORMAL
