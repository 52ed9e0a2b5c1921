"""What the parts of a bridge share."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from aip_trio.endpoints import DeviceClientEndpoint
from aip_trio.protocol import id_fault
from aip_trio.rpc._event import ApiEventKind
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc.bridge._cadence import Cadence
from aip_trio.rpc.bridge._facts import Facts
from aip_trio.rpc.bridge._machine import RPC_BRIDGE_MACHINE, RpcBridgeEvent, RpcBridgeState
from aip_trio.rpc.bridge._pulse import Pulse
from aip_trio.rpc.bridge._recent import Recent
from aip_trio.rpc.bridge._record import Record
from aip_trio.rpc.bridge._steps import next_event
from aip_trio.rpc.client import PresenceState

__all__ = ["Shared"]

logger = logging.getLogger("aip_trio.rpc")

#: What is told of a bridge, for the log.
_STORY = {
    RpcBridgeState.WAITING: "%s is awaited",
    RpcBridgeState.JOINING: "%s joins the fleet",
    RpcBridgeState.JOINED: "%s is one of the fleet",
    RpcBridgeState.AWAY: "%s is silent: its tools fail",
    RpcBridgeState.LEAVING: "%s leaves the fleet",
}

#: Events that are kept for `recent_events`, and bytes of them.
_EVENTS, _EVENT_BYTES = 1000, 4 * 1024 * 1024


class Shared:
    """The service as it was last heard of, and where the bridge stands; it outlives all of its actors.

    ``pulse`` beats when something has changed that one of them may wait for.
    """

    def __init__(self, device_id: str | None, telemetry_interval: float) -> None:
        self.lifecycle = RPC_BRIDGE_MACHINE.start()
        self.pulse = Pulse()
        self.cadence = Cadence(telemetry_interval)
        self.recent = Recent(_EVENTS, _EVENT_BYTES)
        self.facts = Facts()
        self.presence = PresenceState.UNKNOWN
        self.identifier: str | None = None
        #: what the device is called in the fleet, while it is one of it
        self.member: str | None = None
        #: the device's connection to the fleet, from its joining to its leaving
        self.endpoint: DeviceClientEndpoint | None = None
        self._device_id = device_id
        self._version: str | None = None
        self._heard: datetime | None = None
        self._fault: str | None = None

    # The service

    def heard(self, identifier: str, version: str, now: datetime) -> None:
        """A heartbeat came."""
        new = (identifier, version) != (self.identifier, self._version)
        self.identifier, self._version, self._heard = identifier, version, now
        if new:
            self._check_name()
            self._changed()

    def stands(self, presence: PresenceState) -> None:
        """The service is there, or is not."""
        if presence is not self.presence:
            logger.info("%s is %s", self.service, presence.name.lower())
            self.presence = presence
            self._changed()

    def published(self, topic: ApiTopic, message: object, kind: ApiEventKind | None, now: datetime) -> None:
        """Something came that is no heartbeat."""
        self.facts.published(topic)
        self.facts.happened(self.recent.add(Record(topic, message, now, kind)))
        self._changed(urgent=topic == ApiTopic.EMERGENCY)

    def answered(self, status: object, now: datetime) -> None:
        """The service has told its status."""
        self.facts.answered(status, now)
        self._changed(urgent=False)

    def missed(self, count: int) -> None:
        """So many were published, and have not come."""
        self.facts.missed(count)
        self._changed(urgent=False)

    @property
    def service(self) -> str:
        """What to call it in a text."""
        return "the RPC service" if self.identifier is None else f"RPC service {self.identifier!r}"

    @property
    def silence(self) -> str:
        """Why there is no use in asking it anything."""
        last = "none has come" if self._heard is None else f"the last one came at {self._heard.isoformat()}"
        return f"{self.service} gives no heartbeat ({last}); nothing was sent to it"

    # The bridge

    @property
    def state(self) -> RpcBridgeState:
        """Where the bridge stands."""
        return self.lifecycle.state

    @property
    def name(self) -> str | None:
        """What the device is to be called in the fleet; None where that is not known, or cannot be a name."""
        return self._device_id or (self.identifier if self._fault is None else None)

    def next_event(self) -> RpcBridgeEvent | None:
        """What follows from all this for the device."""
        if self.state is RpcBridgeState.WAITING and self.name is None:
            return None
        return next_event(self.state, self.presence, same=self.name == self.member)

    def fire(self, event: RpcBridgeEvent) -> None:
        """Something has happened to the bridge. Raises IllegalTransition."""
        before = self.state
        self.lifecycle.fire(event)
        if self.state is not before and self.state in _STORY:
            logger.info(_STORY[self.state], self.name or self.service)
        self._changed()

    def tell(self) -> Mapping[str, object]:
        """What a fleet may know of the service, in JSON's own types."""
        return {
            "identifier": self.identifier,
            "version": self._version,
            "presence": self.presence.name.lower(),
            "last_heartbeat": None if self._heard is None else self._heard.isoformat(),
            **self.facts.data(),
        }

    def _check_name(self) -> None:
        self._fault = id_fault(self.identifier)
        if self._fault is not None and self._device_id is None:
            logger.error(
                "%s cannot join under its own name (%s): give the bridge a device_id",
                self.service,
                self._fault,
            )

    def _changed(self, *, urgent: bool = True) -> None:
        """What concerns the bridge itself is rare, and told at once; what is published is not rare."""
        before = self.cadence.due
        self.cadence.changed(urgent=urgent)
        if urgent or self.cadence.due < before:
            self.pulse.beat()
