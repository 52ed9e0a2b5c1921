"""A bridge from an RPC service to an AIP fleet."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import trio

from aip_trio.actors import ChildSpec
from aip_trio.endpoints import DeviceClientEndpoint
from aip_trio.endpoints.tools import Tool, ToolFunction
from aip_trio.errors import EndpointNotRunning, InvalidSpec
from aip_trio.messages import ServerMessage
from aip_trio.protocol import id_fault
from aip_trio.resilience import Backoff, ReconnectionStrategy
from aip_trio.rpc._tree import TreeOwner
from aip_trio.rpc.bridge._caller import Caller
from aip_trio.rpc.bridge._commands import COMMANDS, BridgeCommand, all_commands
from aip_trio.rpc.bridge._device import BridgedDevice
from aip_trio.rpc.bridge._early import Early
from aip_trio.rpc.bridge._fleet import Fleet
from aip_trio.rpc.bridge._machine import RpcBridgeEvent, RpcBridgeState
from aip_trio.rpc.bridge._reports import Arrival, Reports
from aip_trio.rpc.bridge._service import MakeClient, Service
from aip_trio.rpc.bridge._sessions import Sessions
from aip_trio.rpc.bridge._shared import Shared
from aip_trio.rpc.bridge._tools import make_registry
from aip_trio.rpc.client import RpcClient
from aip_trio.transport import AdapterName, Transport, transport_for

if TYPE_CHECKING:
    from aip_trio.transport.zeromq import CurveClient

__all__ = ["RpcBridge"]

#: A fault that stays is not repaired for ever.
_REPAIRS = Backoff(initial=0.05, maximum=5.0, max_retries=10)


class RpcBridge(TreeOwner):
    """Has an RPC service take part in an AIP fleet, as a device whose tools are its commands.

    The device joins when heartbeats of the service come, and leaves when they have stopped for good; its
    tasks then fail with a reason that says so. While the service is silent, and may come back, the device
    stays, and its tools fail at once.

    - ``url``: of the fleet's server
    - ``host``, ``subscriber_port``, ``command_port``, ``service_curve``: of the service, as for `RpcClient`
    - ``device_id``: the device's name in the fleet; without it, the identifier in the service's heartbeats
    - ``commands``: which commands are tools, by the tools' names; ``any_command``: whether there is a tool
      that sends any other, ``send_command``; ``tools``: more, of the program's own
    - ``timeout``: seconds for a command, and for its end where it is a pending one
    - ``telemetry_interval``: seconds between two reports of what has changed, at least; an emergency is told
      at once
    - ``make_client``: makes what speaks to the service instead of an `RpcClient`
    - the rest is as for `DeviceClientEndpoint`; it connects for ever, so that a ``reconnection_strategy``
      must have no ``max_retries``

    Raises InvalidSpec, InvalidTool, InvalidUrl.
    """

    _name = "bridge"

    def __init__(
        self,
        url: str,
        *,
        host: str = "127.0.0.1",
        subscriber_port: int = 5556,
        command_port: int = 5557,
        service_curve: CurveClient | None = None,
        device_id: str | None = None,
        commands: Mapping[str, BridgeCommand | int] = COMMANDS,
        any_command: bool = True,
        tools: Iterable[ToolFunction | Tool] = (),
        timeout: float = 60.0,
        telemetry_interval: float = 1.0,
        make_client: MakeClient | None = None,
        platform: str | None = None,
        reconnection_strategy: ReconnectionStrategy | None = None,
        token: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        ssl_context: ssl.SSLContext | None = None,
        adapter: AdapterName = "native",
        make_transport: Callable[[], Transport] | None = None,
        curve: CurveClient | None = None,
    ) -> None:
        super().__init__()
        _check(device_id, timeout, telemetry_interval, reconnection_strategy)
        self._shared = Shared(device_id, telemetry_interval)
        self._caller = Caller(self._shared, timeout)
        every = all_commands(commands)
        self._early = Early(self._shared, every, self._caller.send)
        self._registry = make_registry(
            every, tools, self._early.call, self._shared.recent, any_command=any_command
        )
        self._make_client: MakeClient = make_client or (
            lambda: RpcClient(host, subscriber_port, command_port, timeout=timeout, curve=service_curve)
        )
        self._timeout = timeout
        self._platform = platform
        # Back soon after the server was restarted, but not in the same moment as all other devices.
        strategy = reconnection_strategy or ReconnectionStrategy(
            None, initial_backoff=0.2, max_backoff=5.0, jitter=True, reset_after=5.0
        )
        self._endpoint = partial(
            DeviceClientEndpoint,
            url,
            timeout=30.0,
            reconnection_strategy=strategy,
            token=token,
            headers=headers,
            ssl_context=ssl_context,
            extensions=(Arrival(self._shared),),
            adapter=adapter,
            make_transport=make_transport,
            curve=curve,
        )
        # Now, rather than when a service comes.
        self._make_endpoint("checked", partial(Sessions, _ignore))
        if make_transport is None:
            transport_for(url, adapter=adapter, curve=curve)

    def _specs(self) -> Iterable[ChildSpec]:
        shared = self._shared
        yield ChildSpec("service", Service, shared, self._caller, self._make_client, backoff=_REPAIRS)
        yield ChildSpec("reports", Reports, shared, backoff=_REPAIRS)
        yield ChildSpec("fleet", Fleet, shared, self._early, self._make_endpoint, backoff=_REPAIRS)

    def _make_endpoint(self, name: str, new_sessions: Callable[[], Sessions]) -> DeviceClientEndpoint:
        device = BridgedDevice(
            name, self._registry, self._shared.tell, platform=self._platform, timeout=self._timeout
        )
        return self._endpoint(device, middleware=(new_sessions,))

    def _begin(self) -> None:
        self._shared.fire(RpcBridgeEvent.START)

    def _ended(self) -> None:
        if not self._shared.lifecycle.done:
            self._shared.fire(RpcBridgeEvent.STOP)

    @property
    def state(self) -> RpcBridgeState:
        """Where it stands between the service and the fleet."""
        return self._shared.state

    @property
    def device_id(self) -> str | None:
        """What the device is called in the fleet; None before the service has told its name."""
        return self._shared.name

    def is_connected(self) -> bool:
        """Whether the device is registered at its server now."""
        endpoint = self._shared.endpoint
        return endpoint is not None and endpoint.is_connected()

    async def wait_joined(self) -> str:
        """Wait until the device is one of the fleet, and return its name there. A checkpoint.

        Raises EndpointNotRunning where the bridge has ended by then.
        """
        await trio.lowlevel.checkpoint()
        while self.state not in (RpcBridgeState.JOINED, RpcBridgeState.AWAY):
            if self._shared.lifecycle.done:
                raise EndpointNotRunning("wait_joined()", type(self).__name__)
            await self._shared.pulse.wait()
        assert self._shared.member is not None
        return self._shared.member


def _ignore(message: ServerMessage) -> None:
    """Nothing comes to an endpoint that is not started."""


def _check(
    device_id: str | None, timeout: float, interval: float, strategy: ReconnectionStrategy | None
) -> None:
    fault = None if device_id is None else id_fault(device_id)
    if fault is not None:
        raise InvalidSpec("device_id", device_id, fault)
    if not timeout > 0:
        raise InvalidSpec("timeout", timeout, "give seconds, more than 0")
    if not interval >= 0:
        raise InvalidSpec("telemetry_interval", interval, "give seconds, 0 or more")
    if strategy is not None and strategy.max_retries is not None:
        raise InvalidSpec(
            "reconnection_strategy", strategy, "a bridge connects for ever: make it with max_retries=None"
        )
