"""What an ASGI server gives of a WebSocket, in our words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeGuard, cast

import trio

from aip_trio.errors import ConnectionLost
from aip_trio.errors._base import told
from aip_trio.transport._codec import cut
from aip_trio.transport._codes import ABNORMAL, NO_CODE
from aip_trio.transport._url import authority

if TYPE_CHECKING:
    from starlette.types import Message
    from starlette.websockets import WebSocket

__all__ = ["CONNECTION", "AsgiSocket", "ServersConnection", "is_asgi_websocket", "peer_of_scope"]

#: The key of a scope under which a server of ours, `aip_trio.web`, hands on the connection itself.
CONNECTION = "aip_trio.connection"


class ServersConnection(Protocol):
    """What ASGI lacks: the connection below a WebSocket."""

    @property
    def last_heard(self) -> float:
        """When bytes came from the peer, in Trio's clock."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the peer has ended it, or its socket is closed."""
        ...

    async def ping(self) -> None:
        """Send a ping, and wait until something comes. A checkpoint; waits for ever where nothing does."""
        ...

    def cut(self) -> None:
        """Close its socket, whoever waits for it."""
        ...


def is_asgi_websocket(websocket: object) -> TypeGuard[WebSocket]:
    """Whether it is Starlette's, or FastAPI's, which is the same; Starlette is not imported for that."""
    return any(
        cls.__qualname__ == "WebSocket" and cls.__module__ == "starlette.websockets"
        for cls in type(websocket).__mro__
    )


def peer_of_scope(websocket: WebSocket) -> str:
    """``host:port`` of the client, as the server tells it."""
    client = websocket.scope.get("client")
    return "unknown" if client is None else authority(*client)


class AsgiSocket:
    """Whole messages in and out of an accepted WebSocket, one task at a time each way.

    What the server raises, whatever it is, is ConnectionLost here. Of the peer's close frame most servers
    tell nothing: the code is 1006 then, as where the connection broke.
    """

    def __init__(self, websocket: WebSocket, subprotocol: str | None = None) -> None:
        self._websocket = websocket
        self._connection = cast("ServersConnection | None", websocket.scope.get(CONNECTION))
        self._heard = trio.current_time()
        self._hearing = trio.lowlevel.ParkingLot()
        self.subprotocol = subprotocol
        self.peer = peer_of_scope(websocket)

    async def send(self, data: str | bytes) -> None:
        """Send a message. A checkpoint, and cancellable, as far as the server makes it so."""
        kind = "text" if isinstance(data, str) else "bytes"
        await self._tell({"type": "websocket.send", kind: data})

    async def close(self, code: int, reason: str) -> None:
        """Send a close frame. As `send`; then `receive` to the end."""
        await self._tell({"type": "websocket.close", "code": code, "reason": cut(reason)})

    async def _tell(self, message: Message) -> None:
        try:
            await self._websocket.send(message)
        except Exception as error:
            raise _lost(error) from error
        if self._connection is not None and self._connection.gone:  # hypercorn takes messages all the same
            raise ConnectionLost(ABNORMAL, "the connection has ended")

    async def receive(self) -> str | bytes:
        """The next message. A checkpoint; raises ConnectionLost after the last."""
        try:
            message = await self._websocket.receive()
        except Exception as error:
            raise _lost(error) from error
        if message["type"] == "websocket.disconnect":
            raise ConnectionLost(message.get("code") or NO_CODE, message.get("reason") or "")
        self._heard = trio.current_time()
        self._hearing.unpark_all()
        text: str | None = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def ping(self) -> None:
        """Wait for a sign of life. A checkpoint; for ever where none comes.

        ASGI has no ping: only a server of ours sends one. With another the peer's next message, such as its
        heartbeat, is the sign.
        """
        if self._connection is not None:
            await self._connection.ping()
        else:
            await self._hearing.park()

    @property
    def last_heard(self) -> float:
        """When a message came from the peer, or with a server of ours any byte; in Trio's clock."""
        return self._heard if self._connection is None else self._connection.last_heard

    def cut(self) -> None:
        """End it without a word, where the server lets us; else the end of the application's task does."""
        if self._connection is not None:
            self._connection.cut()


def _lost(error: Exception) -> ConnectionLost:
    return ConnectionLost(ABNORMAL, f"the ASGI server says: {told(error)}")
