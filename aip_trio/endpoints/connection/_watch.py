"""Tells an endpoint of its connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aip_trio.actors import Actor, handles
from aip_trio.endpoints._hooks import Hooks
from aip_trio.endpoints.connection._messages import LineDown, LineUp

__all__ = ["Watch"]


class Watch(Actor):
    """Says at once where the connection stands, and calls the program's hook where it was lost.

    ``went`` answers whether that is for the hook to know.
    """

    def __init__(
        self, came: Callable[[], None], went: Callable[[], bool], hook: Callable[[], Awaitable[None]]
    ) -> None:
        self._came = came
        self._went = went
        self._hook = hook

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """Have a place for the hook's calls."""
        self._hooks = Hooks(self.nursery, self.path)

    @handles
    async def up(self, message: LineUp) -> None:
        """Registered."""
        self._came()

    @handles
    async def down(self, message: LineDown) -> None:
        """Lost, or given up."""
        if self._went():
            self._hooks.call(message.line.client_id, self._hook)
