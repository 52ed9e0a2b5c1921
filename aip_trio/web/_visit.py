"""A WebSocket of the application's, which the server may close for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Send

__all__ = ["Visit"]

#: Seconds that hypercorn has, once the connection has ended, to say so.
_PATIENCE = 1.0


class Visit:
    """Stands between an application and hypercorn, for one WebSocket. ``ended``: its connection has.

    hypercorn does not always say so: not where it has answered bytes that came too early with a 400.
    """

    def __init__(self, receive: Receive, send: Send, ended: trio.Event) -> None:
        self._receive = receive
        self._send = send
        self._ended = ended
        self._accepted = False
        self._dismissed = False
        self._watching = trio.CancelScope()
        self._waiting = trio.CancelScope()

    async def watch(self) -> None:
        """Its task: see the connection's end, until `finish`. A checkpoint."""
        with self._watching:
            await self._ended.wait()
            self._waiting.deadline = trio.current_time() + _PATIENCE

    def finish(self) -> None:
        """The application is done with it."""
        self._watching.cancel()

    async def receive(self) -> Message:
        """The application's ``receive``. A checkpoint."""
        patience = _PATIENCE if self._ended.is_set() else math.inf
        with trio.move_on_after(patience) as self._waiting:
            return await self._receive()  # noqa: ASYNC910 - ASGI's is one
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(self, message: Message) -> None:  # noqa: ASYNC910 - the application calls it
        """The application's ``send``; once the server has said goodbye, what it says goes nowhere."""
        if self._dismissed:
            return  # noqa: ASYNC910 - the application calls it
        if message["type"] == "websocket.accept":
            self._accepted = True
        elif message["type"] == "websocket.close":
            self._accepted = False
        await self._send(message)

    async def dismiss(self, code: int, reason: str) -> None:  # noqa: ASYNC910 - not called from outside
        """Close it, where it is open: the application then gets its disconnect."""
        if self._accepted and not self._dismissed:
            self._dismissed = True
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
