"""An application's own start and end (ASGI, "Lifespan Protocol")."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import trio

from aip_trio.errors import AppFailed
from aip_trio.errors._base import told

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Scope

__all__ = ["Lifespan"]

logger = logging.getLogger("aip_trio.web")


class Lifespan:
    """Runs the application's lifespan in a task of its own.

    An application that raises before it has said anything has none, as ASGI says. One whose lifespan ends
    while it is served has failed: what it served with is gone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        #: what the application puts here each request finds in its scope
        self.state: dict[str, Any] = {}
        self._asked = 0
        self._up, self._stop, self._down = trio.Event(), trio.Event(), trio.Event()
        self._supported = False
        self._failure: AppFailed | None = None

    async def start(self) -> None:
        """Wait until the application has started. A checkpoint; raises AppFailed."""
        await self._up.wait()
        if self._failure is not None:
            raise self._failure

    async def stop(self) -> None:
        """Tell it to end, and wait for that. A checkpoint."""
        self._stop.set()
        await self._down.wait()

    async def run(self) -> None:  # noqa: ASYNC910 - not called from outside
        """Its task. A checkpoint; raises AppFailed where it ends while it is served."""
        scope: Scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        crash: BaseException | None = None
        try:
            await self._app(scope, self._receive, self._send)
        except* Exception as group:  # noqa: BLE001 - told below
            crash = group.exceptions[0] if len(group.exceptions) == 1 else group
        finally:
            self._up.set()
            self._down.set()
        if self._failure is None:
            self._judge(crash)

    def _judge(self, crash: BaseException | None) -> None:
        """What its end means. Raises AppFailed."""
        if not self._supported:
            logger.info("the application has no lifespan%s", "" if crash is None else f" ({told(crash)})")
        elif not self._stop.is_set():
            reason = "it returned while it was served" if crash is None else told(crash)
            raise AppFailed("lifespan", reason) from crash
        elif crash is not None:
            logger.error("the application failed in its shutdown", exc_info=crash)

    async def _receive(self) -> Message:
        self._asked += 1
        if self._asked == 1:
            await trio.lowlevel.checkpoint()
            return {"type": "lifespan.startup"}
        await self._stop.wait()
        if self._asked > 2:
            await trio.sleep_forever()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        await trio.lowlevel.checkpoint()
        kind: str = message["type"]
        if kind == "lifespan.startup.complete":
            self._supported = True
            self._up.set()
        elif kind == "lifespan.startup.failed":
            self._failure = AppFailed("startup", _last_line(message))
            self._up.set()
        elif kind == "lifespan.shutdown.failed":
            logger.error("the application failed in its shutdown: %s", message.get("message", ""))
            self._down.set()
        elif kind == "lifespan.shutdown.complete":
            self._down.set()


def _last_line(message: Message) -> str:
    """Starlette sends a whole traceback: its last line says what it was."""
    lines = str(message.get("message", "")).strip().splitlines()
    return lines[-1] if lines else ""
