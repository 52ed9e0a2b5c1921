"""A bridge's end in the fleet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import trio

from aip_trio.actors import Actor, StopReason
from aip_trio.endpoints import DeviceClientEndpoint
from aip_trio.errors import EndpointNotRunning, StartCalledOff
from aip_trio.messages import EndTask, TaskStatus, widen_client
from aip_trio.rpc.bridge._early import Early
from aip_trio.rpc.bridge._machine import RpcBridgeEvent, RpcBridgeState
from aip_trio.rpc.bridge._sessions import Sessions
from aip_trio.rpc.bridge._shared import Shared

__all__ = ["Fleet", "MakeEndpoint"]

#: Makes the device's endpoint: its name in the fleet, and what makes the middleware of each connection.
MakeEndpoint = Callable[[str, Callable[[], Sessions]], DeviceClientEndpoint]

#: Seconds in which a server may say that the tasks of a device that leaves have ended.
_FAREWELL = 2.0


class Fleet(Actor):
    """Has the device join the fleet when the service is there, and leave it when that has gone.

    Each time with a new endpoint, which connects for ever. A crash of the service's side is none of its
    business: the connection stays, and its tools fail.
    """

    default_shutdown = 10.0

    def __init__(self, shared: Shared, early: Early, make_endpoint: MakeEndpoint) -> None:
        self._shared = shared
        self._early = early
        self._make_endpoint = make_endpoint
        self._sessions: Sessions | None = None

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """Begin where nothing is left of an earlier incarnation."""
        if self._shared.lifecycle.can(RpcBridgeEvent.LOST):
            self._shared.fire(RpcBridgeEvent.LOST)
        self.nursery.start_soon(self._follow)

    async def stopping(self, reason: StopReason | BaseException) -> None:  # noqa: ASYNC910 - internal
        """The device leaves in order, whatever happened here."""
        await self._leave("the bridge to the RPC service is stopped")

    async def _follow(self) -> None:
        """Do what follows from how things are; wait where nothing does."""
        shared = self._shared
        while True:
            event = shared.next_event()
            if event is None:
                await shared.pulse.wait()
                continue
            shared.fire(event)
            if shared.state is RpcBridgeState.JOINING:
                self._join()
            elif shared.state is RpcBridgeState.LEAVING:
                await self._leave(f"{shared.service} has gone: no heartbeat comes any more")
                shared.fire(RpcBridgeEvent.LEFT)

    def _join(self) -> None:
        name = self._shared.member = self._shared.name
        assert name is not None
        endpoint = self._shared.endpoint = self._make_endpoint(name, self._new_sessions)
        self.nursery.start_soon(self._belong, endpoint)

    def _new_sessions(self) -> Sessions:
        self._sessions = Sessions(partial(self._early.look, self.nursery))
        return self._sessions

    async def _belong(self, endpoint: DeviceClientEndpoint) -> None:
        """Register, and see that it stays so until it is to leave."""
        try:
            await endpoint.start()
        except StartCalledOff:
            return  # noqa: ASYNC910 - internal
        if self._shared.endpoint is endpoint:
            self._shared.fire(RpcBridgeEvent.REGISTERED)
            await endpoint.stopped()
        if self._shared.endpoint is endpoint:
            raise EndpointNotRunning("stopped()", type(endpoint).__name__)

    async def _leave(self, reason: str) -> None:
        """End the tasks that run on the device, for this reason, and then its connection."""
        endpoint, self._shared.endpoint = self._shared.endpoint, None
        if endpoint is None:
            return  # noqa: ASYNC910 - internal
        if endpoint.is_connected() and self._sessions is not None:
            with trio.move_on_after(_FAREWELL):
                await _end_tasks(endpoint, self._sessions, reason)
        await endpoint.stop()
        self._shared.member = None


async def _end_tasks(endpoint: DeviceClientEndpoint, sessions: Sessions, reason: str) -> None:
    """Say of each task that it has failed, and wait until the server has heard it."""
    name = endpoint.ufo_client.client_id
    for session_id in list(sessions.open):
        end = EndTask(session_id, TaskStatus.FAILED, reason, name)
        await endpoint.send_with_timeout(widen_client(end, client_id=name), _FAREWELL)
    await sessions.all_ended()
