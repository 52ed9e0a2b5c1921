"""Tells a fleet's server of the device, unasked."""

from __future__ import annotations

from contextlib import suppress

import trio

from aip_trio.actors import Actor
from aip_trio.errors import ActorStopped, EndpointNotRunning
from aip_trio.extensions import AIPExtension
from aip_trio.rpc.bridge._shared import Shared

__all__ = ["Arrival", "Reports"]


class Arrival(AIPExtension):
    """Has what could not be told go out when the device is registered again."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def on_connection_established(self, endpoint_id: str) -> None:  # noqa: ASYNC910 - as the base's
        """The reports may look again."""
        self._shared.pulse.beat()


class Reports(Actor):
    """Pushes the device's info when it has changed, as often as the cadence says, while it is registered.

    Who reads slowly gets fewer of them, and the last one always.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """One task for all reports."""
        self.nursery.start_soon(self._report)

    async def _report(self) -> None:
        shared = self._shared
        while True:
            endpoint = shared.endpoint
            if endpoint is None or not endpoint.is_connected():
                await shared.pulse.wait()
            elif shared.cadence.due > trio.current_time():
                with trio.move_on_at(shared.cadence.due):
                    await shared.pulse.wait()
            else:
                shared.cadence.reported(trio.current_time())
                with suppress(ActorStopped, EndpointNotRunning):  # it is about to leave
                    await endpoint.push_device_info()
