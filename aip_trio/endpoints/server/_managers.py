"""Managers of clients and sessions that a program brings along (wire/aip-api.md, "endpoints")."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable
from typing import Any

import attrs
import trio

from aip_trio.endpoints.server._directory import Client

__all__ = ["Managers"]

logger = logging.getLogger("aip_trio.endpoints")


@attrs.frozen
class Managers:
    """Tells them of clients and sessions; what they lack is skipped, what they raise is logged.

    Their methods may be plain or async. An async one has ``patience`` seconds; then it is cancelled, and
    the log says so: a client must not wait for ever for being told of. A plain one holds up everything, as
    any plain function does. ``Any``: they are the caller's classes, known by their methods' names alone.
    """

    clients: Any = None
    sessions: Any = None
    patience: float = math.inf

    async def joined(self, client: Client) -> None:
        """A client has registered."""
        register = client.register
        platform = (register.metadata or {}).get("platform")
        await self._call(
            self.clients,
            "add_client",
            client.id,
            platform,
            client.websocket,
            register.client_type,
            register.metadata,
        )

    async def left(self, client: Client) -> None:
        """It has gone: sessions that their manager knows of, and we do not, are cancelled, too.

        (Those of a device are cancelled with its tasks.)
        """
        if not client.is_device:
            await self.cancel_sessions(client.id, "constellation_disconnected")
        await self._call(self.clients, "remove_client", client.id)

    async def cancel_sessions(self, device_id: str, reason: str) -> None:
        """Cancel the sessions that the client manager counts as a device's."""
        for session_id in await self._call(self.clients, "get_device_sessions", device_id) or ():
            await self._call(self.sessions, "cancel_task", session_id, reason=reason)

    async def _call(self, owner: Any, name: str, *args: object, **options: object) -> Any:
        """Call a method, if there is one; a checkpoint where it is async."""
        method: Callable[..., Any] | None = getattr(owner, name, None)
        if method is None:
            return None  # noqa: ASYNC910 - internal
        called = f"{type(owner).__name__}.{name}"
        try:
            answer = method(*args, **options)
            if not inspect.isawaitable(answer):
                return answer  # noqa: ASYNC910 - internal
            with trio.move_on_after(self.patience):
                return await answer
        except Exception:
            logger.exception("%s failed", called)
        else:
            logger.error("%s was cancelled: it did not return within %g s", called, self.patience)
        return None  # noqa: ASYNC910 - internal
