"""Transports that stand on one connection after another, each with tasks of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import NoReturn, Self, TypeVar

import trio

from aip_trio.actors import current_nursery
from aip_trio.errors import (
    ConnectFailed,
    ConnectionLost,
    NoSystem,
    PeerSilent,
    TransportError,
    UnexpectedFrame,
)
from aip_trio.transport._codes import ABNORMAL, check_code
from aip_trio.transport._connection import Connection
from aip_trio.transport._life import Life
from aip_trio.transport._payload import as_bytes, is_text
from aip_trio.transport._settings import check_seconds
from aip_trio.transport._state import TransportEvent, TransportState
from aip_trio.transport._transport import Transport

__all__ = ["ConnectingTransport"]

_CALLED_OFF = "it was called off"

T = TypeVar("T")


class ConnectingTransport(Transport):
    """What is the same whatever a connection is made of; a subclass opens one, in its `connect`."""

    def __init__(self) -> None:
        self._life = Life()
        self._connection: Connection | None = None
        self._attempt: trio.CancelScope | None = None
        self._nursery: trio.Nursery | None = None
        self._nursery_manager: AbstractAsyncContextManager[trio.Nursery] | None = None

    async def _open(  # noqa: ASYNC910 - what opens it is one
        self,
        url: str,
        connect_timeout: float,
        opens: Callable[[trio.Nursery], Awaitable[T]],
        take_over: Callable[[T, trio.Nursery], Connection],
    ) -> None:
        """The attempt to connect: have one opened, in time, and stand on it from then on. A checkpoint.

        Its tasks live in the block of ``async with transport``, else in the actor that calls, else in the
        system; raises NoSystem outside of all three, ConnectFailed, and what ``opens`` does.
        """
        check_seconds("connect_timeout", connect_timeout)
        nursery = self._nursery or current_nursery()
        if nursery is None:
            raise NoSystem("connect() of a transport that is not used as `async with transport:`,")
        self._life.begin()
        try:
            opened = None
            with trio.move_on_after(connect_timeout) as self._attempt:
                opened = await opens(nursery)
            if opened is None:
                late = trio.current_time() >= self._attempt.deadline
                reason = f"no answer within connect_timeout={connect_timeout} s" if late else _CALLED_OFF
                raise ConnectFailed(url, reason)
        except BaseException as error:
            loss = error if isinstance(error, TransportError) else ConnectFailed(url, _CALLED_OFF)
            self._life.fail(loss)
            raise
        finally:
            self._attempt = None
        self._life.fire(TransportEvent.SUCCEED)
        self._connection = take_over(opened, nursery)

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send a message: a text frame where it is valid UTF-8, else a binary one. See `Transport.send`."""
        message = as_bytes(data)
        connection = self._open_connection or await self._refuse("send()")
        try:
            if is_text(message):
                await connection.send_text(message)
            else:
                await connection.send_bytes(message)
        except TransportError as loss:
            self._noticed(loss)
            raise

    def send_nowait(self, data: bytes | bytearray | memoryview) -> None:
        """Send a message where nobody has to wait for it. See `Transport.send_nowait`."""
        connection = self._open_connection
        if connection is None:  # `send` knows why
            raise trio.WouldBlock
        message = as_bytes(data)
        connection.send_nowait(message, text=is_text(message))

    async def send_binary(self, data: bytes | bytearray | memoryview) -> None:
        """Send a message as a binary frame. See `Transport.send`."""
        message = as_bytes(data)
        connection = self._open_connection or await self._refuse("send()")
        try:
            await connection.send_bytes(message)
        except TransportError as loss:
            self._noticed(loss)
            raise

    async def send_announced(self, announcement: bytes, data: bytes | bytearray | memoryview) -> None:
        """Send a text frame and the binary one that it announces. See `Transport.send_announced`."""
        message = as_bytes(data)
        connection = self._open_connection or await self._refuse("send()")
        try:
            await connection.send_announced(announcement, message)
        except TransportError as loss:
            self._noticed(loss)
            raise

    async def receive(self) -> bytes:
        """The next message, whatever frame it came in. See `Transport.receive`."""
        connection = self._attached("receive()")
        try:
            return await connection.receive_bytes()
        except TransportError as loss:
            self._noticed(loss)
            raise

    async def receive_auto(self) -> str | bytes:
        """The next message: a str from a text frame, bytes from a binary one. See `Transport.receive`."""
        connection = self._attached("receive()")
        try:
            return await connection.receive_auto()
        except TransportError as loss:
            self._noticed(loss)
            raise

    async def receive_binary(self) -> bytes:
        """The next message, which is a binary frame; else UnexpectedFrame, and it is lost."""
        data = await self.receive_auto()
        if isinstance(data, str):
            raise UnexpectedFrame("binary", "text")
        return data

    async def ping(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - a check, which has its own time
        """Send a ping and wait for its pong. A checkpoint; raises PeerSilent after ``timeout`` seconds.

        The connection stays what it is. Messages that wait to be received do not keep the pong away, unless
        they are too many to be read at all.
        """
        check_seconds("timeout", timeout)
        connection = self._open_connection or await self._refuse("ping()")
        with trio.move_on_after(timeout) as scope:
            await connection.ping()
        if scope.cancelled_caught:
            raise PeerSilent(timeout)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """The closing handshake, of at most ``close_timeout`` seconds. A checkpoint.

        Messages that were not received are dropped; what waits to be sent goes out before. An attempt to
        connect is called off; without a connection nothing happens. Cancelled: it ends at once. Raises
        InvalidSpec for a ``code`` that no close frame may carry; a ``reason`` is cut to 123 bytes.
        """
        check_code(code)
        if self._attempt is not None:
            self._attempt.cancel()
        connection = self._connection
        if connection is None:
            await trio.lowlevel.checkpoint()
            return
        self._life.closing()
        try:
            await connection.close(code, reason)
        finally:
            if self._life.state is TransportState.DISCONNECTING:
                self._life.end(None)

    async def wait_closed(self) -> None:
        """Wait until the connection's socket is closed, whoever closes it. A checkpoint."""
        if self._connection is None:
            await trio.lowlevel.checkpoint()
        else:
            await self._connection.wait_closed()

    def reset(self) -> None:
        """From ERROR back to DISCONNECTED. Raises IllegalTransition in any other state."""
        self._life.fire(TransportEvent.RESET)

    @property
    def state(self) -> TransportState:
        """Where it stands."""
        self._look()
        return self._life.state

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent and received."""
        self._look()
        return self._life.connected

    @property
    def peer(self) -> str:
        """``host:port`` of the peer, for the log."""
        return self._connection.peer if self._connection is not None else "nobody"

    @property
    def peer_names(self) -> tuple[str, ...]:
        """The common name and DNS names of the certificate that the peer has shown; none: no certificate."""
        return self._connection.peer_names if self._connection is not None else ()

    @property
    def subprotocol(self) -> str | None:
        """What both sides agreed on, None for nothing."""
        return self._connection.subprotocol if self._connection is not None else None

    @property
    def close_code(self) -> int | None:
        """How the last connection ended (RFC 6455, section 7.1.5): 1006: no close frame; None: not yet."""
        return self._connection.close_code if self._connection is not None else None

    @property
    def close_reason(self) -> str:
        """What the side that closed it said about it."""
        return self._connection.close_reason if self._connection is not None else ""

    @property
    def last_heard(self) -> float:
        """When a frame or a pong came from the peer, in Trio's clock."""
        return self._connection.last_heard if self._connection is not None else super().last_heard

    async def __aenter__(self) -> Self:
        self._nursery_manager = trio.open_nursery()
        self._nursery = await self._nursery_manager.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        manager, self._nursery_manager = self._nursery_manager, None
        assert manager is not None
        try:
            await self.close()  # noqa: ASYNC102 - ends at once where it is cancelled
        finally:
            self._nursery = None
            await manager.__aexit__(None, None, None)  # noqa: ASYNC102 - ends at once where it is cancelled

    @property
    def _open_connection(self) -> Connection | None:
        connection = self._connection
        return connection if connection is not None and connection.is_open() else None

    async def _refuse(self, call: str) -> NoReturn:
        """Raise why this call cannot be made; where the peer is closing, once that is done."""
        if self._connection is not None and self._life.parting:
            await self._connection.wait_closed()
        self._look()
        raise self._life.refusal(call)

    def _attached(self, call: str) -> Connection:
        if self._connection is None:
            raise self._life.refusal(call)
        return self._connection

    def _look(self) -> None:
        """A connection that has no task of its own tells of its end when it is asked."""
        if self._life.connected and self._connection is not None and not self._connection.is_open():
            code = self._connection.close_code
            loss = ConnectionLost(ABNORMAL if code is None else code, self._connection.close_reason)
            if loss.code == ABNORMAL:
                self._life.fail(loss)
            else:
                self._life.end(loss)

    def _noticed(self, loss: TransportError) -> None:
        """As `_look`, where it is known what was lost."""
        if self._life.connected and self._connection is not None and not self._connection.is_open():
            if isinstance(loss, ConnectionLost) and loss.code != ABNORMAL:
                self._life.end(loss)
            else:
                self._life.fail(loss)
