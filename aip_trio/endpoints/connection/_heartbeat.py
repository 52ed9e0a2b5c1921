"""The heartbeat of a client's connection."""

from __future__ import annotations

import logging

import trio

from aip_trio.actors import Actor
from aip_trio.endpoints.connection._dial import Dial
from aip_trio.endpoints.connection._line import ClientLine
from aip_trio.endpoints.connection._messages import AskLine
from aip_trio.errors import PeerSilent
from aip_trio.messages import Heartbeat
from aip_trio.resilience import HeartbeatDetector

__all__ = ["HeartbeatSender"]

logger = logging.getLogger("aip_trio.endpoints")


class HeartbeatSender(Actor):
    """Sends a heartbeat each interval; two intervals of silence end it, and so the connection.

    Where the link resumes, they end only what is beneath the link, which is then made anew.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._detector = HeartbeatDetector(dial.heartbeat_interval)

    async def started(self) -> None:
        """Begin: the registration has just been answered."""
        line = await self.sibling("session").ask(AskLine())
        self._detector.start(trio.current_time())
        self.nursery.start_soon(self._beat, line)

    async def _beat(self, line: ClientLine) -> None:
        detector = self._detector
        while True:
            await trio.sleep_until(detector.wake)
            now = trio.current_time()
            if line.last_heard > now - detector.silence(now):
                detector.heard(line.last_heard)
            if detector.silent(now):
                logger.warning("%s: %s", self._dial.client_id, PeerSilent(detector.silence(now)))
                transport = line.protocol.transport
                await transport.drop()
                if not transport.is_connected:
                    self.stop()
                    return
                detector.heard(now)
            if detector.due(now):
                detector.sent(now)
                with trio.move_on_after(detector.interval):  # a server that does not read is silent, too
                    await line.send_or_say(Heartbeat(self._dial.client_id))
