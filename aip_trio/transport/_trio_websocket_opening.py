"""Handshakes by trio-websocket, for connections that are its own from there on.

The head of what the peer says is read by us, within our limits, and handed to the library as if it had just
come: so a client is refused, and refusals are heard, as with any other adapter.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import cast

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream, wrap_server_stream

from aip_trio.errors import TransportError
from aip_trio.transport._asking import hear_answer, no_websocket
from aip_trio.transport._first_bytes import FirstBytes
from aip_trio.transport._handshake import Handshake
from aip_trio.transport._opened import Hosted
from aip_trio.transport._opening import Asking, Wish
from aip_trio.transport._settings import Settings
from aip_trio.transport._unreached import connect_failed
from aip_trio.transport._wsproto import WsprotoHearing

__all__ = ["TrioWebSocketAsking", "TrioWebSocketHearing"]

logger = logging.getLogger("aip_trio.transport")


class TrioWebSocketAsking(Asking):
    """The client's side."""

    def __init__(self, wish: Wish, settings: Settings) -> None:
        self._wish = wish
        self._settings = settings

    async def open(self, stream: trio.abc.Stream, nursery: trio.Nursery) -> Hosted:
        wish = self._wish

        async def answer() -> bytes:
            try:
                return b"".join(await hear_answer(wish.url, stream))
            except trio.BrokenResourceError as error:  # for which the library would not stop waiting
                raise connect_failed(wish.url, error) from error

        async def connect(home: trio.Nursery) -> WebSocketConnection:
            return await wrap_client_stream(
                home,
                cast("trio.SocketStream", FirstBytes(stream, answer)),  # any stream will do
                wish.url.host_header,
                wish.url.target,
                subprotocols=wish.subprotocols,
                extra_headers=list(wish.headers),
                max_message_size=self._settings.max_size,
            )

        try:
            return await _host(nursery, stream, connect)
        except ExceptionGroup as group:
            leaves = list(_leaves(group))
            for error in leaves:
                if isinstance(error, TransportError):
                    raise error from error.__cause__
            raise no_websocket(wish.url, leaves[0]) from group


class TrioWebSocketHearing(WsprotoHearing):
    """The server's side."""

    def hear(self, head: bytes, peer: str) -> Handshake:
        self._head = head
        return super().hear(head, peer)

    async def accept(
        self, stream: trio.abc.Stream, rest: bytes, subprotocol: str | None, nursery: trio.Nursery
    ) -> Hosted:
        async def request() -> bytes:
            await trio.lowlevel.checkpoint()
            return self._head + rest

        async def accept(home: trio.Nursery) -> WebSocketConnection:
            asked = await wrap_server_stream(
                home, FirstBytes(stream, request), max_message_size=self.settings.max_size
            )
            return await asked.accept(subprotocol=subprotocol)

        try:
            return await _host(nursery, stream, accept)
        except ExceptionGroup as group:
            if all(isinstance(error, ConnectionClosed) for error in _leaves(group)):
                raise trio.BrokenResourceError("the client left in its handshake") from group
            raise


async def _host(
    nursery: trio.Nursery,
    stream: trio.abc.Stream,
    opens: Callable[[trio.Nursery], Awaitable[WebSocketConnection]],
) -> Hosted:
    """Open a connection, whose tasks live in ``nursery`` and never harm it.

    A checkpoint; raises what the opening did, as a group.
    """
    over = trio.Event()

    async def live(*, task_status: trio.TaskStatus[WebSocketConnection]) -> None:  # noqa: ASYNC910 - a task
        opened = False
        try:
            async with trio.open_nursery() as home:
                websocket = await opens(home)
                opened = True
                task_status.started(websocket)
        except* Exception as group:
            if not opened:
                raise
            # Who uses it is told of its end. The library lets out what a peer makes of it now and then.
            logger.info("a connection of trio-websocket failed", exc_info=group)
        finally:
            over.set()

    websocket: WebSocketConnection = await nursery.start(live)
    return Hosted(websocket, stream, over)


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
