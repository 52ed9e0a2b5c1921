"""Typed messages over a transport."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar, overload

import trio

from aip_trio.actors import current_environment
from aip_trio.errors import IllegalTransition, InvalidMessage, InvalidSpec, NoHandler, UnexpectedMessage
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Codec,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol._conversations import NO_STEP, Step
from aip_trio.protocol._middleware import ProtocolMiddleware
from aip_trio.protocol._timestamp import timestamp
from aip_trio.transport import Transport

__all__ = ["AIPProtocol", "MessageHandler", "kind_of", "or_new_id"]

M = TypeVar("M", bound=WireModel)

MessageHandler: TypeAlias = Callable[[WireModel], Awaitable[object]]

_CODEC = Codec(ClientMessage, ServerMessage)
_TYPES = frozenset((*ClientMessageType, *ServerMessageType))


class AIPProtocol:
    """Sends and receives AIP's messages over a transport, through middleware, codec and protocol machine.

    It neither connects the transport nor reads by itself: the program, or a link actor, does. One task
    receives at a time; any number send, and their messages go out in the order of their calls as far as
    middleware lets them.

    Several objects may share a transport, as the parts of a program do that know one protocol each. What a
    subclass knows of the protocol's states it enforces only where the conversation passes through it both
    ways: an object that has only sent, or only received, cannot know what it has missed.

    ``codec``: for other classes, another size limit or format than JSON.
    """

    def __init__(self, transport: Transport, *, codec: Codec | None = None) -> None:
        self.transport = transport
        self.codec = _CODEC if codec is None else codec
        self._middleware: tuple[ProtocolMiddleware, ...] = ()
        self._handlers: dict[str, list[MessageHandler]] = {}
        #: a frame whose message was legal, but not handed on: its receiver was cancelled in a middleware
        self._in_hand: bytes | None = None
        self._has_sent = self._has_received = False

    def is_connected(self) -> bool:
        """Whether the transport is connected."""
        return self.transport.is_connected

    # Messages

    async def send_message(self, msg: WireModel) -> None:
        """Send a message. A checkpoint.

        Cancelled: it was not sent, or will be as a whole.

        :raises IllegalTransition: the protocol has no place for it now
        :raises EncodeError: a value in it has no form on the wire, or it is too large
        :raises ConnectionError: the transport is not connected, or broke
        """
        if self._middleware:
            msg = await self._outgoing(msg)
        data = self.codec.encode(msg)
        step = self._advance(msg, sending=True)
        try:
            await self.transport.send(data)
        except Exception:
            step.undo()
            raise
        except BaseException:
            step.forget()
            raise
        self._has_sent = True

    @overload
    async def receive_message(self) -> ServerMessage: ...
    @overload
    async def receive_message(self, message_type: type[M]) -> M: ...
    async def receive_message(self, message_type: type[WireModel] = ServerMessage) -> WireModel:
        """Wait for the next message. A checkpoint; cancelled, no message is lost.

        :raises DecodeError: a frame is none of that type; it is gone, and the connection lives on
        :raises UnexpectedMessage: the protocol has no place for it now; it is gone, too
        :raises ConnectionError: the transport is not connected, or broke
        """
        again = self._in_hand is not None
        if self._in_hand is None:
            data = await self.transport.receive()
        else:
            await trio.lowlevel.checkpoint()
            data, self._in_hand = self._in_hand, None
        msg = self.codec.decode(data, message_type)
        if not again:
            self._accept(msg)
        if not self._middleware:
            return msg
        try:
            return await self._incoming(msg)
        except trio.Cancelled:
            self._in_hand = data
            raise

    async def pack(self, message: WireModel) -> bytes:
        """The bytes of a message, after the middleware, for whoever owns the transport.

        No checkpoint of its own.

        :raises EncodeError: a value in it has no form on the wire, or it is too large
        """
        if self._middleware:
            message = await self._outgoing(message)
        return self.codec.encode(message)  # noqa: ASYNC910 - half of a send, which is one

    async def unpack(self, data: bytes, message_type: type[M]) -> M:
        """The message in a frame's bytes, after the middleware. No checkpoint of its own.

        :raises DecodeError: it is none of that type
        """
        message = self.codec.decode(data, message_type)
        if self._middleware:
            return await self._incoming(message)
        return message  # noqa: ASYNC910 - half of a receive, which is one

    # Middleware

    def add_middleware(self, middleware: ProtocolMiddleware) -> None:
        """Let it see every message from now on, behind those added before."""
        self._middleware = (*self._middleware, middleware)

    async def _outgoing(self, message: M) -> M:
        kind = type(message)
        for middleware in self._middleware:
            message = _same(kind, await middleware.process_outgoing(message), middleware)
        return message  # noqa: ASYNC910 - not called from outside

    async def _incoming(self, message: M) -> M:
        kind = type(message)
        for middleware in reversed(self._middleware):
            message = _same(kind, await middleware.process_incoming(message), middleware)
        return message  # noqa: ASYNC910 - not called from outside

    # Handlers

    def register_handler(self, message_type: str, handler: MessageHandler) -> None:
        """Call this for each message of that type that is dispatched, after those registered before.

        :raises InvalidSpec: no message has that type
        """
        if message_type not in _TYPES:
            raise InvalidSpec("message_type", message_type, f"give one of {', '.join(sorted(_TYPES))}")
        self._handlers.setdefault(str(message_type), []).append(handler)

    async def dispatch_message(self, msg: WireModel) -> None:
        """Call the handlers of the message's type, one after another. A checkpoint.

        What a handler raises goes through, and ends the dispatch.

        :raises NoHandler: there is none
        """
        await trio.lowlevel.checkpoint()
        kind = kind_of(msg)
        handlers = self._handlers.get(kind)
        if not handlers:
            raise NoHandler(kind, tuple(sorted(self._handlers)))
        for handler in tuple(handlers):
            await handler(msg)

    # Messages of every server

    async def send_error(self, error_msg: str, response_id: str | None = None) -> None:
        """Tell the client what went wrong. A checkpoint."""
        await self.send_message(
            ServerMessage(
                type=ServerMessageType.ERROR,
                status=TaskStatus.ERROR,
                error=error_msg,
                timestamp=timestamp(),
                response_id=or_new_id(response_id),
            )
        )

    async def send_ack(self, session_id: str | None = None, response_id: str | None = None) -> None:
        """Acknowledge: a server heartbeat with status ok. A checkpoint."""
        await self.send_message(
            ServerMessage(
                type=ServerMessageType.HEARTBEAT,
                status=TaskStatus.OK,
                session_id=session_id,
                timestamp=timestamp(),
                response_id=or_new_id(response_id),
            )
        )

    async def close(self) -> None:
        """Close the transport. A checkpoint."""
        await self.transport.close()

    async def cut(self) -> None:
        """End the connection without a goodbye: nobody is there to hear it. A checkpoint."""
        with trio.move_on_after(0):
            await self.transport.close()

    # For the protocols

    @property
    def _strict(self) -> bool:
        """Whether this object sees the whole conversation."""
        return self._has_sent and self._has_received

    def _advance(self, message: WireModel, *, sending: bool) -> Step:
        """Move the protocol's machine by a message that goes out or has come in.

        :raises IllegalTransition: it has no place in the conversation now
        """
        return NO_STEP

    def _accept(self, message: WireModel) -> None:
        self._has_received = True
        try:
            self._advance(message, sending=False)
        except IllegalTransition as error:
            wanted = ", ".join(str(getattr(event, "value", event)) for event in error.legal) or "nothing more"
            raise UnexpectedMessage(f"{wanted} ({error.machine})", kind_of(message)) from error


def kind_of(message: object) -> str:
    """What a message is, in the wire's word."""
    return str(getattr(message, "type", type(message).__name__))


def or_new_id(given: str | None) -> str:
    """The id given, or a new one."""
    return current_environment().new_id() if given is None else given


def _same(kind: type[M], message: object, middleware: ProtocolMiddleware) -> M:
    if not isinstance(message, kind):
        name = type(middleware).__name__
        raise InvalidMessage(
            message, f"was returned by {name} for a {kind.__name__}: return a {kind.__name__}"
        )
    return message
