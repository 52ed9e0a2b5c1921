"""The actor that stands between a transport and a mailbox."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

import attrs
import trio

from aip_trio.actors import Actor, ActorRef, StopReason, handles
from aip_trio.errors import ActorStopped, MailboxFull, TransportError
from aip_trio.transport._transport import Transport

__all__ = ["Attach", "Bridge", "Received", "Transmit"]


@attrs.frozen
class Attach:
    """To a bridge: tell what comes to this actor, from now on."""

    target: ActorRef


@attrs.frozen
class Transmit:
    """To a bridge: send this."""

    data: bytes


@attrs.frozen
class Received:
    """From a bridge: this came."""

    data: bytes


class Bridge(Actor):
    """Owns a transport: what comes is told to ``target``, what is told to the bridge is sent.

    Pressure goes both ways: while the target's mailbox is full, nothing is read, so that the peer's sends
    wait; while the peer does not read, the bridge's mailbox fills, so that those who tell it wait. Only this
    connection stands still.

    The connection's end is the bridge's crash, with the TransportError; the bridge's end closes the
    connection. Without a target nothing is read until an `Attach` names one; a second takes its place.

    Override `opened` to connect, `incoming` to turn what comes into messages of your own, `recipient` where
    not all of them are the target's, `lost` where the connection's end is no crash, `forsaken` where the
    target's is none, and handle messages of your own to send.
    """

    #: More than a transport's close_timeout, so that the closing handshake has its time.
    default_shutdown: ClassVar[float] = 12.0

    def __init__(self, transport: Transport, target: ActorRef | None = None) -> None:
        self.transport = transport
        self._target = target
        self._pumping: trio.CancelScope | None = None

    async def opened(self) -> None:
        """Called as the bridge starts, before anything is read: connect here, where it is not connected."""

    def receive(self) -> Awaitable[bytes]:
        """The next of what `incoming` is given; for subclasses whose frames hold several. A checkpoint."""
        return self.transport.receive()

    async def incoming(self, data: bytes) -> object | None:
        """What to tell the target of a message that came; None: nothing. Raising is the bridge's crash."""
        return Received(data)  # noqa: ASYNC910 - the runtime calls it

    def recipient(self, message: object, target: ActorRef) -> ActorRef:
        """Who is told of a message. One that has ended is passed over, and ``target`` is told."""
        return target

    def lost(self, error: TransportError) -> None:
        """The connection has ended. What this raises is the bridge's crash; the default raises the error."""
        raise error

    def forsaken(self, error: ActorStopped) -> None:
        """The target has ended. What this raises is the bridge's crash; the default raises the error."""
        raise error

    async def started(self) -> None:
        await self.opened()
        if self._target is not None:
            self.attach_to(self._target)

    async def stopping(self, reason: StopReason | BaseException) -> None:
        if self._pumping is not None:
            self._pumping.cancel()  # or it would crash of the close that follows
        await self.transport.close()

    @handles
    async def attach(self, message: Attach) -> None:  # noqa: ASYNC910 - the runtime calls it
        self.attach_to(message.target)

    @handles
    async def transmit(self, message: Transmit) -> None:  # noqa: ASYNC910 - the runtime calls it
        try:
            await self.transport.send(message.data)
        except TransportError as error:
            self.lost(error)

    def attach_to(self, target: ActorRef) -> None:
        """As `Attach`, for subclasses."""
        self._target = target
        if self._pumping is None:
            self._pumping = trio.CancelScope()
            self.nursery.start_soon(self._pump, self._pumping)

    async def _pump(self, scope: trio.CancelScope) -> None:  # noqa: ASYNC910 - the runtime calls it
        with scope:
            try:
                while True:
                    message = await self.incoming(await self.receive())
                    if message is not None and self._target is not None:
                        await self._hand_on(self._target, message)
            except TransportError as error:
                self.lost(error)

    async def _hand_on(self, target: ActorRef, message: object) -> None:  # noqa: ASYNC910 - the runtime calls it
        recipient = self.recipient(message, target)
        try:
            try:
                recipient.tell_nowait(message)  # receiving was a checkpoint already
            except MailboxFull:
                await recipient.tell(message)
        except ActorStopped as error:
            if recipient == target:
                self.forsaken(error)
            else:
                await target.tell(message)
