"""Says that the service is there."""

from __future__ import annotations

from importlib.metadata import version

import attrs

from aip_trio.actors import Actor, handles
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc.service._desk import Desk

__all__ = ["Heartbeat"]

_TOPIC = int(ApiTopic.HEARTBEAT)


@attrs.frozen
class Beat:
    """It is time for one."""


class Heartbeat(Actor):
    """Publishes a heartbeat at once, and every so many seconds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._version = version("aip-trio")

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        self._beat()
        self.every(self._desk.options.heartbeat_interval, Beat())

    @handles
    async def beat(self, message: Beat) -> None:  # noqa: ASYNC910 - internal
        self._beat()

    def _beat(self) -> None:
        desk = self._desk
        heartbeat: dict[str, object] = {
            "identifier": desk.options.identifier,
            "version": self._version,
            "timestamp": self.system.environment.now().timestamp(),
        }
        if desk.history:
            heartbeat["sequences"] = desk.history.sequences
        desk.outgoing.put(desk.written(_TOPIC, heartbeat), past_limit=True)
