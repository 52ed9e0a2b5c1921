"""One connection over ZeroMQ, at either end."""

from __future__ import annotations

import math

import trio

from aip_trio.actors import current_environment
from aip_trio.errors import ConnectionLost, PeerSilent, PeerTooSlow, TransportError
from aip_trio.transport._codec import Closed, FrameFault, Pinged, Ponged
from aip_trio.transport._codes import ABNORMAL, POLICY, PROTOCOL_ERROR
from aip_trio.transport._connection import Connection
from aip_trio.transport._inbox import Inbox
from aip_trio.transport._keepalive import Beat, Keepalive
from aip_trio.transport._life import Life
from aip_trio.transport._pings import Pings
from aip_trio.transport._settings import Settings
from aip_trio.transport.zeromq._flow import WINDOW, Inflow, Outflow
from aip_trio.transport.zeromq._sender import Post, Sender
from aip_trio.transport.zeromq._wire import Announced, Data, Frames, Gone, Saying, Taken, read

__all__ = ["ZeroMQConnection"]


class ZeroMQConnection(Connection):
    """From its welcome to its end. Who reads the socket gives it what has come: `came`, `broke`.

    `run` is its one task, without which nothing ends: it keeps alive, and returns when the connection is
    over. Who runs it closes what is beneath, and sets ``ended``. ``life`` is told of the end, by whichever
    side.

    ``window``, ``max_size``: what the peer holds, and takes.
    """

    def __init__(
        self,
        post: Post,
        *,
        settings: Settings,
        life: Life,
        window: int,
        max_size: int,
        subprotocol: str | None,
        peer: str,
        peer_names: tuple[str, ...] = (),
    ) -> None:
        self.life = life
        #: nothing of it is left
        self.ended = trio.Event()
        self._settings = settings
        self._subprotocol = subprotocol
        self._peer = peer
        self._peer_names = peer_names
        self._inflow = Inflow()
        self._inbox = Inbox()
        environment = current_environment()
        self._sender = Sender(
            post,
            Outflow(window, lambda: bytes.fromhex(environment.new_secret()[:16])),
            max_size=max_size,
            most=math.inf if settings.queued_bytes is None else settings.queued_bytes,
            crowded=self._look_again,
            stuck=self._give_up,
            broken=self.broke,
        )
        self._pings = Pings()
        now = self._last_heard = trio.current_time()
        self._keepalive = Keepalive(settings.ping_interval, settings.ping_timeout, now)
        self._unanswered_since = math.inf  # the first ping after the last pong
        self._open = True
        self._closing = False  # by a goodbye of ours that came first
        self._over = False
        self._code: int | None = None
        self._reason = ""
        self._scope = trio.CancelScope()
        self._nap = trio.CancelScope()

    # For its users

    async def send_text(self, data: bytes) -> None:
        await self._send(Data(data, True, b""), len(data))

    async def send_bytes(self, data: bytes) -> None:
        await self._send(Data(data, False, b""), len(data))

    async def send_announced(self, text: bytes, data: bytes) -> None:
        await self._send(Announced(text, data, b""), len(text) + len(data))

    def send_nowait(self, data: bytes, *, text: bool) -> None:
        if not self._open or not self._sender.idle:
            raise trio.WouldBlock
        self._sender.send_now(Data(data, text, b""))

    async def _send(self, message: Data | Announced, size: int) -> None:
        if not self._open:
            raise self.life.refusal("send()")
        if not await self._sender.send(message, size):
            raise self.life.refusal("send()")

    async def receive_auto(self) -> str | bytes:
        data, text = await self._inbox.get()
        self._took(len(data))
        return data.decode() if text else data

    async def receive_bytes(self) -> bytes:
        data, _ = await self._inbox.get()
        self._took(len(data))
        return data

    async def ping(self) -> None:
        if not self._open:
            raise self.life.refusal("ping()")
        payload = self._pings.number()
        with self._pings.expect(payload) as pong:
            self._sender.say(Pinged(payload))
            if not await pong.wait():
                raise self.life.refusal("ping()")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._open:
            self._open = False
            self._closing = True
            self.life.closing()
            self._inbox.end(self._no_more, drop=True)
            for mark in self._inflow.drop():  # what the peer has to say goes on, until its goodbye
                self._sender.say(Taken(mark))
            self._sender.part(Closed(code, reason))
        try:
            with trio.move_on_after(self._settings.close_timeout):
                await self.ended.wait()
        finally:
            self._scope.cancel()
            with trio.CancelScope(shield=True):  # its task ends at once, and what is beneath in bounded time
                await self.ended.wait()

    async def wait_closed(self) -> None:
        await self.ended.wait()

    def is_open(self) -> bool:
        return self._open

    @property
    def peer(self) -> str:
        return self._peer

    @property
    def peer_names(self) -> tuple[str, ...]:
        return self._peer_names

    @property
    def last_heard(self) -> float:
        return self._last_heard

    @property
    def subprotocol(self) -> str | None:
        return self._subprotocol

    @property
    def close_code(self) -> int | None:
        return self._code

    @property
    def close_reason(self) -> str:
        return self._reason

    # For who reads the socket

    @property
    def over(self) -> bool:
        """Whether nothing can be sent, nor will come."""
        return self._over

    def came(self, frames: Frames) -> None:
        """The peer has said something. Not a checkpoint."""
        if self._over:
            return
        self._last_heard = trio.current_time()
        try:
            self._heard(read(frames, self._settings.max_size))
        except FrameFault as fault:
            if not self._closing:
                self._sender.say(Closed(fault.code, fault.reason))
            self._conclude(fault.error, fault.code, fault.reason)

    def broke(self, reason: str) -> None:
        """What is beneath it has ended. Not a checkpoint."""
        if self.life.parting:  # a peer that has said goodbye does not have to wait for our answer
            return
        self._conclude(ConnectionLost(ABNORMAL, reason), ABNORMAL, "")

    def probe(self) -> None:
        """Find out whether what is beneath it has ended, where that may be. Not a checkpoint."""
        self._sender.say(Pinged(self._pings.number()))

    def abandon(self) -> None:
        """End it as a network would, and tell the peer where that is possible. Not a checkpoint."""
        self._sender.say(Gone())
        self.broke("this side has given the connection up")

    def _heard(self, saying: Saying) -> None:
        match saying:
            case Data(data, text, mark):
                self._inflow.came(len(data), mark=mark)
                self._deliver((data, text))
            case Announced(announcement, data, mark):
                self._inflow.came(len(announcement), len(data), mark=mark)
                self._deliver((announcement, True), (data, False))
            case Taken(mark):
                self._sender.taken(mark)
            case Pinged(payload):
                self._sender.say(Ponged(payload))
            case Ponged(payload):
                self._unanswered_since = math.inf
                self._pings.answer(payload)
            case Closed(code, reason):
                self._part(code, reason)
            case Gone():
                self.broke("the peer has given the connection up")
            case _:
                reason = f"a {type(saying).__name__} in the middle of a connection"
                lost = ConnectionLost(PROTOCOL_ERROR, f"the peer broke the protocol: {reason}")
                raise FrameFault(PROTOCOL_ERROR, reason, lost)

    def _deliver(self, *messages: tuple[bytes, bool]) -> None:
        if self._closing:
            for mark in self._inflow.drop():
                self._sender.say(Taken(mark))
            return
        for message in messages:
            self._inbox.put(message)

    def _took(self, size: int) -> None:
        if self._open and (mark := self._inflow.took(size)):  # else all was dropped, or nobody wants to know
            self._sender.say(Taken(mark))

    def _part(self, code: int, reason: str) -> None:
        """The peer's goodbye: answer it, unless it is the answer to ours."""
        loss = None
        if not self._closing:
            loss = ConnectionLost(code, reason)
            self.life.closing(loss)
            self._sender.say(Closed(code, reason))
        self._conclude(loss, code, reason)

    def _give_up(self) -> None:
        """The peer does not take what waits for it: tell it, if it takes that, and keep nothing for it."""
        loss = PeerTooSlow(self._sender.unread, self._settings.queued_bytes or WINDOW)
        self._sender.say(Closed(POLICY, f"{loss.queued} bytes wait for you: read faster"))
        self._conclude(loss, POLICY, "read faster")

    def _look_again(self) -> None:
        self._nap.deadline = min(self._nap.deadline, self._sender.hopeless_at)

    # Its task

    async def run(self) -> None:  # noqa: ASYNC910 - nothing to wait for, where it is over already
        """Look after the connection until it is over. A checkpoint; raises nothing. Cancelled: it is over."""
        try:
            with self._scope:
                while not self._over:
                    await self._attend()
        finally:
            self._sender.say(Gone())  # where it was cancelled, or the peer does not answer our goodbye
            self._conclude(None, ABNORMAL, "")

    async def _attend(self) -> None:  # noqa: ASYNC910 - not called from outside
        due = min(self._keepalive.due(self._quiet_since), self._sender.hopeless_at)
        with trio.CancelScope(deadline=math.inf if self._closing else due) as self._nap:
            await trio.sleep_forever()
        if self._over or not self._open:
            return
        now = trio.current_time()
        if now >= self._sender.hopeless_at:
            self._give_up()
            return
        beat = self._keepalive.beat(now, self._quiet_since)
        if beat is Beat.GIVE_UP:
            silent = PeerSilent(round(now - self._quiet_since, 3))
            self._sender.say(Gone())
            self._conclude(silent, ABNORMAL, "")
        elif beat is Beat.PING:
            self._unanswered_since = min(self._unanswered_since, now)
            self._sender.say(Pinged(self._pings.number()))

    @property
    def _quiet_since(self) -> float:
        """Since when nothing came; or no pong, of a peer that may talk without end, and never listen."""
        return min(self._last_heard, self._unanswered_since)

    def _conclude(self, loss: TransportError | None, code: int, reason: str) -> None:
        """Nothing can be sent, nor will come, any more: tell everybody, once. None: by this side."""
        if self._over:
            return
        self._over = True
        self._open = False
        if self._code is None:
            self._code, self._reason = code, reason
        if self._closing:
            loss = None
        if self.life.connected and loss is not None:
            self.life.fail(loss)
        else:
            self.life.end(loss)
        self._inbox.end(self._no_more, drop=loss is None)
        self._pings.give_up()
        self._sender.close()
        self._nap.cancel()

    def _no_more(self) -> TransportError:
        return self.life.refusal("receive()")
