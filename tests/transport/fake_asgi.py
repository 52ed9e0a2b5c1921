"""An ASGI server in memory, for one WebSocket: what it was told, and what it says."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import trio
from starlette.types import Message
from starlette.websockets import WebSocket

from aip_trio.transport._asgi_socket import CONNECTION


class FakeAsgi:
    """Gives an application a `WebSocket`, and the test the other end of it."""

    def __init__(
        self,
        *,
        headers: Sequence[tuple[str, str]] = (("Host", "localhost:80"),),
        subprotocols: Sequence[str] = (),
        client: tuple[str, int] | None = ("192.0.2.1", 5),
        server: tuple[str, int | None] | None = ("127.0.0.1", 80),
        denial: bool = True,
        connection: object = None,
    ) -> None:
        self.sent: list[Message] = []
        self.gate = trio.Event()
        self.gate.set()
        self._in, self._out = trio.open_memory_channel[Message](math.inf)
        self._in.send_nowait({"type": "websocket.connect"})
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": "/ws",
            "query_string": b"a=1",
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "subprotocols": list(subprotocols),
            "client": client,
            "server": server,
            "extensions": {"websocket.http.response": {}} if denial else {},
        }
        if connection is not None:
            scope[CONNECTION] = connection
        self.websocket = WebSocket(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return await self._out.receive()

    async def _send(self, message: Message) -> None:
        await trio.lowlevel.checkpoint()
        with trio.CancelScope(shield=True):
            await self.gate.wait()
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self.hang_up(1000)

    @contextmanager
    def stuck(self) -> Generator[None]:
        """In this block nothing of what the application sends is taken, nor can that be cancelled."""
        self.gate = trio.Event()
        try:
            yield
        finally:
            self.gate.set()

    def say(self, **fields: Any) -> None:
        """A message for the application."""
        self._in.send_nowait({"type": "websocket.receive", **fields})

    def hang_up(self, code: int | None = 1006, reason: str = "") -> None:
        """The end."""
        self._in.send_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    @property
    def kinds(self) -> list[str]:
        """What it was told, in short."""
        return [message["type"].removeprefix("websocket.") for message in self.sent]

    @property
    def texts(self) -> list[object]:
        """The messages that the application has sent."""
        return [
            message["text"] if "text" in message else message["bytes"]
            for message in self.sent
            if message["type"] == "websocket.send"
        ]
