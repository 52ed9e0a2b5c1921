"""Commands that wait for their answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

import attrs
import trio

from aip_trio.errors import ClientNotRunning, CommandLost, CommandTimeout, DecodeError, ServiceUnreachable
from aip_trio.rpc._command import ApiCommand, ApiCommandRequestResult
from aip_trio.rpc._wire import Reply, parse_reply

__all__ = ["Awaited", "Call", "Calls", "Connection", "Tally"]

#: Nonces stay below this: a service may keep them in 32 bits.
_NONCES = 2**31

#: Commands that were given up, and whose replies are still told apart from strangers'.
_MOST_ABANDONED = 1024


_NOBODY = "nobody listens there"


class Awaited(Enum):
    """What a command waits for."""

    CONNECTION = "connection"  #: it has not been sent
    REPLY = "reply"
    RESULT = "result"  #: the end of a pending one


@attrs.define(eq=False)
class Call:
    """One command, from its sender's point of view."""

    nonce: int
    command: int
    #: whether a reply that says "pending" is not yet the answer
    to_its_end: bool = False
    awaited: Awaited = Awaited.CONNECTION
    _reply: Reply | None = None
    _result: Reply | None = None
    _error: Exception | None = None
    _settled: trio.Event = attrs.field(factory=trio.Event)

    def replied(self, reply: Reply) -> None:
        """The service has replied."""
        self._reply = reply
        if self.to_its_end and reply.result == ApiCommandRequestResult.PENDING_WITH_NOTIFICATION:
            self.awaited = Awaited.RESULT
            if self._result is None:
                return
        self._settled.set()

    def ended(self, result: Reply) -> None:
        """Its end was published; that may overtake the reply."""
        self._result = result
        if self.awaited is Awaited.RESULT:
            self._settled.set()

    def fail(self, error: Exception) -> None:
        """There will be no answer."""
        if not self._settled.is_set():
            self._error = error
            self._settled.set()

    async def answer(self) -> Reply:
        """Wait for it. A checkpoint. Raises what it failed with."""
        await self._settled.wait()
        if self._error is not None:
            raise self._error
        answer = self._result if self.awaited is Awaited.RESULT else self._reply
        assert answer is not None  # it is settled
        return answer


class Sender(Protocol):
    """What a connection needs of its socket."""

    def send_nowait(self, frames: Sequence[bytes]) -> None:
        """Send, or raise WouldBlock."""

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send as soon as it goes; cancelled: it was not sent. Raises ClosedResourceError."""


@attrs.define(eq=False)
class Connection:
    """The life of one connection to the command socket."""

    socket: Sender
    broken: bool = False
    #: by nonce, what a reply may come for; None: its sender has given up
    open: dict[int, Call | None] = attrs.field(factory=dict[int, Call | None])
    #: what breaks when the connection does
    sent: set[Call] = attrs.field(factory=set[Call])
    abandoned: int = 0


@attrs.define
class Tally:
    """Counters of commands."""

    sent: int = 0
    answered: int = 0
    timed_out: int = 0
    lost: int = 0
    late: int = 0
    stray: int = 0
    malformed: int = 0
    connections: int = 0


class Calls:
    """The commands of one client that are under way, over whatever connection there is.

    ``commands_url``, ``events_url``: where the service is, for errors.
    """

    def __init__(self, commands_url: str, events_url: str, chance: random.Random) -> None:
        self.commands_url = commands_url
        self._events_url = events_url
        self.tally = Tally()
        self._next = chance.randrange(1, _NONCES)
        self._connection: Connection | None = None
        self._listening = False
        self._news = trio.lowlevel.ParkingLot()
        self._closed = False
        self._reason = self._silence = _NOBODY
        self._waiting: set[Call] = set()
        # Those that want to be told their ends, which come by another way.
        self._to_their_ends: dict[int, Call] = {}

    @property
    def open(self) -> int:
        """Commands that are not answered yet."""
        return len(self._waiting)

    # The senders' side

    async def command(
        self, command: int, payload: Callable[[int], bytes], seconds: float, *, to_its_end: bool = False
    ) -> Reply:
        """Send a command, and wait for its answer. A checkpoint. Raises what `RpcClient.command` does.

        ``payload`` makes the request of a nonce.
        """
        call = self._begin(command, to_its_end=to_its_end)
        try:
            data = payload(call.nonce)
            with trio.move_on_after(seconds):
                if to_its_end:
                    await self._wait_until_listening()
                await self._send(call, data)
                answer = await call.answer()
                self.tally.answered += 1
                return answer
            raise self._overdue(call, seconds)
        finally:
            self._end(call)

    def _begin(self, command: int, *, to_its_end: bool) -> Call:
        self._check()
        call = Call(self._next, command, to_its_end)
        self._next = self._next % (_NONCES - 1) + 1
        self._waiting.add(call)
        if to_its_end:
            self._to_their_ends[call.nonce] = call
        return call

    async def _wait_until_listening(self) -> None:  # noqa: ASYNC910 - not called from outside
        while not self._listening:
            self._check()
            await self._news.park()

    async def _send(self, call: Call, data: bytes) -> None:
        message = (b"", data)  # the empty frame: what REP expects, and REQ sends by itself
        while True:
            connection = self._connection
            if connection is None:
                self._check()
                await self._news.park()
                continue
            connection.open[call.nonce] = call
            try:
                try:
                    connection.socket.send_nowait(message)
                except trio.WouldBlock:
                    await connection.socket.send(message)
            except trio.ClosedResourceError:  # nothing was sent: on to the next one
                await trio.lowlevel.checkpoint()
                continue
            except BaseException:
                connection.open.pop(call.nonce, None)  # a reply to what was not asked may have taken it
                raise
            self.tally.sent += 1
            call.awaited = Awaited.REPLY
            connection.sent.add(call)
            if connection.broken:
                call.fail(self._lost(call))
            return  # noqa: ASYNC910 - waiting for the answer is a checkpoint

    def _check(self) -> None:
        if self._closed:
            raise ClientNotRunning("command()")

    def _overdue(self, call: Call, seconds: float) -> Exception:
        if call.awaited is not Awaited.CONNECTION:
            self.tally.timed_out += 1
            return CommandTimeout(call.command, call.nonce, call.awaited.value, seconds)
        if self._connection is None:
            return ServiceUnreachable(self.commands_url, seconds, self._reason)
        if call.to_its_end and not self._listening:
            reason = f"its events cannot be listened to: {self._silence}"
            return ServiceUnreachable(self._events_url, seconds, reason)
        return ServiceUnreachable(self.commands_url, seconds, "it does not take what was sent before")

    def _end(self, call: Call) -> None:
        self._waiting.discard(call)
        self._to_their_ends.pop(call.nonce, None)
        connection = self._connection
        if connection is not None:
            connection.sent.discard(call)
            if connection.open.get(call.nonce) is call:
                self._abandon(connection, call)

    def _abandon(self, connection: Connection, call: Call) -> None:
        if connection.abandoned < _MOST_ABANDONED:
            connection.abandoned += 1
            connection.open[call.nonce] = None
        else:
            del connection.open[call.nonce]

    async def wait_connected(self) -> None:
        """Wait until commands can be sent and events heard. A checkpoint. Raises ClientNotRunning."""
        await trio.lowlevel.checkpoint()
        while self._connection is None or not self._listening:
            self._check()
            await self._news.park()

    # The sockets' side

    def connected(self, socket: Sender) -> Connection:
        """There is a connection: what waits goes out over it."""
        self.tally.connections += 1
        self._reason = _NOBODY
        self._connection = connection = Connection(socket)
        self._news.unpark_all()
        return connection

    def refused(self, reason: str) -> None:
        """Somebody listens there, and there is no connection all the same."""
        self._reason = reason

    def received(self, connection: Connection, frames: Sequence[bytes]) -> None:
        """A reply has come."""
        try:
            reply = parse_reply(frames[-1])
        except DecodeError:
            self.tally.malformed += 1
            return
        waits = connection.open
        nonce = reply.nonce
        if nonce not in waits:
            if not _says_unreadable(reply) or len(waits) != 1:
                self.tally.stray += 1
                return
            nonce = next(iter(waits))  # there is nothing else that it could be about
        call = waits.pop(nonce)
        if call is None:
            connection.abandoned -= 1
            self.tally.late += 1
        else:
            call.replied(reply)

    def lost(self, connection: Connection) -> None:
        """The connection is broken: what was sent over it and not answered may or may not have run."""
        connection.broken = True
        self._connection = None
        for call in connection.sent:
            call.fail(self._lost(call))

    def _lost(self, call: Call) -> CommandLost:
        self.tally.lost += 1
        return CommandLost(call.command, call.nonce, call.awaited.value, self.commands_url)

    def listening(self, listening: bool) -> None:
        """Whether what the service publishes can be heard."""
        self._listening = listening
        if listening:
            self._silence = _NOBODY
            self._news.unpark_all()

    def silenced(self, reason: str) -> None:
        """Somebody listens where its events ought to come from, and none can be heard."""
        self._silence = reason

    def published(self, result: Reply) -> None:
        """The end of a pending command was published: of one of these, or of another client's."""
        call = self._to_their_ends.get(result.nonce)
        if call is not None and result.command in (call.command, ApiCommand.USER_DEFINED):
            call.ended(result)

    def close(self) -> None:
        """The client has ended: nothing will be answered any more."""
        self._closed = True
        self._news.unpark_all()
        for call in self._waiting:
            call.fail(ClientNotRunning("command()"))


def _says_unreadable(reply: Reply) -> bool:
    """What a service replies to what it takes for no request: with zeros alone."""
    return reply.nonce == 0 and reply.command == 0 and reply.result == 0
