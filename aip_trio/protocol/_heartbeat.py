"""Heartbeats over a connection: wire/aip.md 3."""

from collections.abc import Mapping
from typing import Any

import trio

from aip_trio.actors import current_nursery
from aip_trio.errors import NoNursery
from aip_trio.messages import ClientMessage, ClientMessageType, ClientType, Codec, TaskStatus, WireModel
from aip_trio.protocol._conversations import NO_STEP, Step
from aip_trio.protocol._protocol import AIPProtocol
from aip_trio.protocol._timestamp import timestamp
from aip_trio.resilience import HeartbeatDetector, HeartbeatManager, HeartbeatState
from aip_trio.transport import Transport

__all__ = ["HeartbeatProtocol"]


class HeartbeatProtocol(AIPProtocol):
    """Sends heartbeats at an interval, and tells from what is received whether the peer lives.

    Keeps to `HEARTBEAT_MACHINE` of aip_trio.resilience. Nobody reads for it: what the program receives
    through it is what is heard of the peer.

    - ``client_type``: who sends them; a constellation need not say so.
    - ``nursery``: where the sending task lives; else the actor's nursery, or the system's.
    - ``misses``: so many silent intervals, and the peer counts as lost.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        codec: Codec | None = None,
        client_type: ClientType = ClientType.DEVICE,
        nursery: trio.Nursery | None = None,
        misses: int = 2,
    ) -> None:
        super().__init__(transport, codec=codec)
        self._client_type = client_type
        self._nursery = nursery
        self._misses = misses
        self._detector = HeartbeatDetector(misses=misses)
        self._client_id = ""
        self._manager: HeartbeatManager | None = None
        self._home: trio.Nursery | None = None

    @property
    def state(self) -> HeartbeatState:
        """What is thought of the peer now; IDLE while no heartbeats are sent."""
        if self._manager is None or not self._manager.is_running(self._client_id):
            return HeartbeatState.IDLE
        self._detector.silent(trio.current_time())
        return self._detector.state

    async def send_heartbeat(self, client_id: str, metadata: Mapping[str, Any] | None = None) -> None:
        """Send one heartbeat, as the client. A checkpoint; raises as `send_message` does."""
        await self.send_message(
            ClientMessage(
                type=ClientMessageType.HEARTBEAT,
                status=TaskStatus.OK,
                client_type=self._client_type,
                client_id=client_id,
                timestamp=timestamp(),
                metadata=None if metadata is None else dict(metadata),
            )
        )

    async def send_heartbeat_ack(self, response_id: str | None = None) -> None:
        """Answer one, as the server. A checkpoint; raises as `send_message` does."""
        await self.send_ack(response_id=response_id)

    async def start_heartbeat(self, client_id: str, interval: float = 30.0) -> None:
        """Send a heartbeat each ``interval`` seconds from now on, in place of those that are sent already.

        A checkpoint. One that cannot be sent is skipped: whoever reads from the connection learns why.

        :raises NoNursery: outside of a running system, where none was given
        :raises InvalidSpec: no such interval
        """
        detector = HeartbeatDetector(interval, misses=self._misses)
        nursery = current_nursery() if self._nursery is None else self._nursery
        if nursery is None:
            raise NoNursery("start_heartbeat()", "async with open_system():")
        await self.stop_heartbeat()
        if self._manager is None or self._home is not nursery:
            self._manager, self._home = HeartbeatManager(self, nursery=nursery), nursery
        await self._manager.start_heartbeat(client_id, interval)
        detector.start(trio.current_time())
        self._detector, self._client_id = detector, client_id

    async def stop_heartbeat(self) -> None:
        """Send no more. A checkpoint."""
        if self._manager is None:
            await trio.lowlevel.checkpoint()
        else:
            await self._manager.stop_all()

    def _advance(self, message: WireModel, *, sending: bool) -> Step:
        if not sending:
            self._detector.heard(trio.current_time())
        return NO_STEP
