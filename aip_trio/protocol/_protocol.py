"""Typed messages over a transport."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar, overload

import trio

from aip_trio.actors import current_environment
from aip_trio.errors import (
    DecodeError,
    IllegalTransition,
    InvalidSpec,
    MiddlewareFailed,
    NoHandler,
    PeerError,
    SendingTooFast,
    UnexpectedMessage,
)
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Codec,
    Format,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol._conversations import NO_STEP, Step
from aip_trio.protocol._elements import Element, elements
from aip_trio.protocol._kind import kind_of
from aip_trio.protocol._timestamp import timestamp
from aip_trio.protocol.link import LinkTransport
from aip_trio.protocol.middleware import Pipeline, ProtocolMiddleware
from aip_trio.protocol.transfer import Transfers
from aip_trio.transport import Transport

__all__ = ["AIPProtocol", "MessageHandler", "or_new_id"]

M = TypeVar("M", bound=WireModel)

MessageHandler: TypeAlias = Callable[[WireModel], Awaitable[object]]

_CODECS = {format: Codec(ClientMessage, ServerMessage, format=format) for format in Format}
_TYPES = frozenset((*ClientMessageType, *ServerMessageType))


class AIPProtocol(Transfers):
    """Sends and receives AIP's messages over a transport, through middleware, codec and protocol machine.

    It neither connects the transport nor reads by itself: the program, or a link actor, does. One task
    receives at a time; any number send, and their messages go out in the order of their calls as far as
    middleware lets them.

    Several objects may share a transport, as the parts of a program do that know one protocol each. What a
    subclass knows of the protocol's states it enforces only where the conversation passes through it both
    ways: an object that has only sent, or only received, cannot know what it has missed.

    ``codec``: for other classes, or another size limit; without it, messages are in the format of the
    transport's link, which is JSON but for `aip.v2+msgpack`.
    """

    def __init__(self, transport: Transport, *, codec: Codec | None = None) -> None:
        super().__init__(transport)
        self.codec = _codec_for(transport) if codec is None else codec
        self._pipeline = Pipeline()
        self._handlers: dict[str, list[MessageHandler]] = {}
        #: a frame whose message was legal, but not handed on: its receiver was cancelled in a middleware
        self._in_hand: bytes | None = None
        #: the rest of a frame that held several
        self._elements: list[Element] = []
        self._has_sent = self._has_received = False

    def adopt(self, transport: Transport) -> None:
        """From now on over this transport, which has taken the other's place, in its format."""
        self.transport = self._intake.transport = transport
        self.codec = _codec_for(transport)

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
        if self._pipeline:
            msg = await self._outgoing(msg)
        data = self.codec.encode(msg)
        if self._pipeline:
            self._pipeline.encoded(msg, len(data))
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

        A frame that is a JSON array of up to 1024 messages is as many messages, in their order (seed 001);
        what is wrong with one of them is told by its index, and concerns that one alone.

        :raises DecodeError: a frame is none of that type; it is gone, and the connection lives on
        :raises UnexpectedMessage: the protocol has no place for it now; it is gone, too
        :raises TransferAnnounced: a binary message or a file comes, to be received as such, or passed over
        :raises ConnectionError: the transport is not connected, or broke
        """
        while True:
            again = self._in_hand is not None
            if self._in_hand is None:
                data = await self.receive_frame()
            else:
                await trio.lowlevel.checkpoint()
                data, self._in_hand = self._in_hand, None
            try:
                msg = self._decode(data, message_type)
                if not again:
                    self._accept(msg)
                break
            except PeerError as error:
                if self._intake.took(error, data, message_type.__name__):
                    continue
                self._pipeline.failed(error)
                raise
        if not self._pipeline:
            return msg
        if not again:
            self._pipeline.decoded(msg, len(data))
        try:
            return await self._pipeline.incoming(msg)
        except trio.Cancelled:
            self._in_hand = data
            raise
        except Exception as error:
            self._pipeline.failed(error)
            raise

    # For whoever owns the transport

    async def receive_frame(self) -> bytes:
        """The bytes of the next message, for `unpack`. A checkpoint; cancelled, no message is lost."""
        if self._elements:
            await trio.lowlevel.checkpoint()
            return self._elements.pop(0)
        data = await self._intake.message()
        if data.startswith(b"[") and self.codec.format is Format.JSON:
            self._elements.extend(elements(data, self.codec.max_size))
            return self._elements.pop(0)
        return data

    async def pack(self, message: WireModel) -> bytes:
        """The bytes of a message, after the middleware. No checkpoint of its own.

        :raises EncodeError: a value in it has no form on the wire, or it is too large
        :raises MiddlewareFailed: middleware raised, or gave back what is no message
        :raises SendingTooFast: a `RateLimitMiddleware` does not let it through
        """
        if not self._pipeline:
            return self.codec.encode(message)  # noqa: ASYNC910 - half of a send, which is one
        message = await self._outgoing(message, linked=True)
        data = self.codec.encode(message)
        self._pipeline.encoded(message, len(data))
        return data  # noqa: ASYNC910 - half of a send, which is one

    async def _outgoing(self, message: M, *, linked: bool = False) -> M:
        try:
            return await self._pipeline.outgoing(message, linked=linked)
        except Exception as error:
            self._pipeline.failed(error)
            raise

    async def pack_or_say(self, message: WireModel, instead: Callable[[str], WireModel]) -> bytes:
        """As `pack`; for a message that the middleware does not let through, what is said ``instead`` of it.

        That goes past the middleware. ``instead`` is given the reason; the log has it, too, once.

        :raises EncodeError: as `pack`
        """
        try:
            return await self.pack(message)
        except MiddlewareFailed as failed:
            reason = self._pipeline.blame(failed)
        except SendingTooFast as error:
            reason = str(error)
        return self.codec.encode(instead(reason))  # noqa: ASYNC910 - half of a send, which is one

    async def unpack(self, data: bytes, message_type: type[M]) -> M:
        """The message in the bytes of `receive_frame`, after the middleware. No checkpoint of its own.

        Whoever deals with what it raises calls `refused`.

        :raises DecodeError: it is none of that type
        :raises PeerError: middleware refuses it
        :raises MiddlewareFailed: middleware raised, or gave back what is no message
        """
        return await self.admit(self.read(data, message_type))

    def read(self, data: bytes, message_type: type[M]) -> M:
        """The first half of `unpack`: the message as it came.

        :raises DecodeError: it is none of that type
        """
        try:
            message = self._decode(data, message_type)
        except DecodeError as error:
            self._intake.pass_over(error, data, message_type.__name__)
            raise
        if self._pipeline:
            self._pipeline.decoded(message, len(data))
        return message

    async def admit(self, message: M) -> M:
        """The second half of `unpack`: the message after the middleware.

        :raises PeerError: middleware refuses it
        :raises MiddlewareFailed: middleware raised, or gave back what is no message
        """
        if not self._pipeline:
            return message  # noqa: ASYNC910 - half of a receive, which is one
        return await self._pipeline.incoming(message, linked=True)

    def _decode(self, data: bytes, message_type: type[M]) -> M:
        try:
            return self.codec.decode(data, message_type)
        except DecodeError as error:
            if isinstance(data, Element):
                raise data.locate(error) from error.__cause__
            raise

    # Middleware

    def add_middleware(self, middleware: ProtocolMiddleware) -> None:
        """Let it see every message from now on, behind those added before."""
        self._pipeline.add(middleware)

    def refused(self, error: PeerError | MiddlewareFailed) -> str:
        """What came goes no further: middleware hears of it, and so does the log, once, if it is its fault.

        Returns what to tell the peer.
        """
        self._pipeline.failed(error)
        return self._pipeline.blame(error) if isinstance(error, MiddlewareFailed) else str(error)

    def report(self, error: Exception) -> None:
        """Something has happened to the connection: let middleware know."""
        self._pipeline.failed(error)

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


def or_new_id(given: str | None) -> str:
    """The id given, or a new one."""
    return current_environment().new_id() if given is None else given


def _codec_for(transport: Transport) -> Codec:
    return _CODECS[transport.format if isinstance(transport, LinkTransport) else Format.JSON]
