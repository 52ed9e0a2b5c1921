"""The server of a fleet: devices and orchestrators connect to it, and it runs the tasks between them."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

import trio

from aip_trio.actors import ChildSpec, Supervisor, SupervisorRef
from aip_trio.endpoints._base import AIPEndpoint
from aip_trio.endpoints._lifecycle import SERVER_LIFECYCLE, ServerEvent
from aip_trio.endpoints._starting import reason_of
from aip_trio.endpoints.server._connection import Connection
from aip_trio.endpoints.server._directory import Client, Directory
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._keeper import Keeper, Watcher
from aip_trio.endpoints.server._limits import Limits
from aip_trio.endpoints.server._listed import run_listed_commands
from aip_trio.endpoints.server._listener import Door, Listener
from aip_trio.endpoints.server._managers import Managers
from aip_trio.endpoints.server._messages import WindUp
from aip_trio.endpoints.server._reception import Reception
from aip_trio.endpoints.server._session import TaskFunction
from aip_trio.endpoints.server._task import Task
from aip_trio.errors import ActorStopped, DeviceNotConnected, EndpointNotRunning, StartFailed
from aip_trio.messages import OfferTask
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import Transport, WebSocketTransport

__all__ = ["DeviceServerEndpoint"]


class DeviceServerEndpoint(AIPEndpoint):
    """Takes devices and constellations, and does tasks: each a ``task`` function over a `Session`.

    - ``ws_manager``, ``session_manager``: objects of the program's own that are told of clients and
      sessions (wire/aip-api.md); without them it keeps its own
    - ``local``: take clients of this machine alone
    - ``task``: ``async def task(session) -> result``; the default runs the commands that the request's
      metadata lists
    - ``host``, ``port``, ``path``, ``ssl_context``: where it listens by itself; port 0 picks one; without a
      port it takes connections by `handle_websocket` alone
    - ``token``: what clients must send as ``Authorization: Bearer …``; else they get 401 at the handshake
    - ``limits``: see `Limits`. ``drain``: seconds that running tasks may go on when it stops
    - seconds: ``registration_timeout`` for a connection's first frame, ``ping_interval``, ``ping_timeout``
      without frame or pong until a connection is dead, ``ghost_timeout`` for an old connection to prove
      that it lives when its client comes anew, ``info_timeout`` for a device's answer about itself

    Source: seed 000, "DeviceServerEndpoint"; wire/aip.md.
    """

    _name = "server"

    def __init__(
        self,
        ws_manager: object = None,
        session_manager: object = None,
        local: bool = False,
        *,
        task: TaskFunction = run_listed_commands,
        host: str = "127.0.0.1",
        port: int | None = None,
        path: str = "/ws",
        ssl_context: ssl.SSLContext | None = None,
        token: str | None = None,
        limits: Limits | None = None,
        drain: float = 0.0,
        registration_timeout: float = 10.0,
        ping_interval: float = 20.0,
        ping_timeout: float = 45.0,
        ghost_timeout: float = 2.0,
        info_timeout: float = 10.0,
    ) -> None:
        super().__init__()
        self.lifecycle = SERVER_LIFECYCLE.start()
        self._hub = Hub(
            directory=Directory(limits or Limits()),
            function=task,
            registration_timeout=registration_timeout,
            ghost_timeout=ghost_timeout,
            info_timeout=info_timeout,
        )
        self._door = Door(
            host=host,
            port=port,
            path=path,
            token=token,
            local=local,
            ssl_context=ssl_context,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            drain=drain,
        )
        self._managers = Managers(ws_manager, session_manager)
        #: connections that `handle_websocket` serves, registered or not
        self._receptions: set[trio.CancelScope] = set()

    def _specs(self) -> Iterable[ChildSpec]:
        hub, door = self._hub, self._door
        managers = self._managers
        watcher = Watcher(self._joined, self._left, managers.joined, self._tell_lost, managers.left)
        yield ChildSpec("directory", Keeper, hub, watcher)
        yield ChildSpec("connections", Connections, hub)
        yield ChildSpec("tasks", Tasks, hub)
        patience = door.drain + Listener.default_shutdown
        yield ChildSpec("listener", Listener, hub, door, shutdown=patience)

    async def start(self) -> None:
        """Start it: it listens when this returns. A checkpoint.

        Raises AddressInUse, CannotListen (each an OSError), NoSystem.
        """
        try:
            await super().start()
        except StartFailed as failed:
            cause = reason_of(failed)
            raise (cause if isinstance(cause, OSError) else failed) from None
        self.lifecycle.fire(ServerEvent.STARTED)
        if self.is_connected():  # somebody was quicker than we
            self.lifecycle.fire(ServerEvent.CONNECTED)

    def _begin(self) -> None:
        self.lifecycle.fire(ServerEvent.START)

    async def stop(self) -> None:
        """Say goodbye to everybody (see `Listener`), and stop. A checkpoint."""
        if self.lifecycle.can(ServerEvent.STOP):
            self.lifecycle.fire(ServerEvent.STOP)
        await super().stop()

    @property
    def port(self) -> int:
        """Where it listens; the one that was picked for port 0. Raises EndpointNotRunning."""
        if self._ref is None or self._door.port is None:
            raise EndpointNotRunning("port", type(self).__name__)
        return self._door.port

    @property
    def url(self) -> str:
        """Where clients connect to. Raises EndpointNotRunning where it does not listen."""
        if self._ref is None or self._door.port is None:
            raise EndpointNotRunning("url", type(self).__name__)
        return self._door.url

    async def handle_websocket(self, websocket: object) -> None:
        """Serve one connection until it, or the server, ends; for a web framework's route. A checkpoint.

        ``websocket``: a `Transport`, or what `WebSocketTransport` takes. It joins the system that the
        endpoint was started in, whatever task calls. Raises EndpointNotRunning, UnknownWebSocket.
        """
        if self._ref is None or self.lifecycle.done:
            raise EndpointNotRunning("handle_websocket()", type(self).__name__)
        transport = websocket if isinstance(websocket, Transport) else WebSocketTransport(websocket)
        with trio.CancelScope() as scope:
            self._receptions.add(scope)
            try:
                await Reception(self._hub, self.system).receive(AIPProtocol(transport), websocket)
            finally:
                self._receptions.remove(scope)
        if scope.cancelled_caught:
            await transport.close()

    # Who is there

    def is_connected(self) -> bool:
        """Whether anybody is connected."""
        return bool(self._hub.directory.clients)

    @property
    def devices(self) -> Mapping[str, Mapping[str, Any]]:
        """The devices that are connected, and the metadata that they registered with."""
        return {
            client.id: client.register.metadata or {}
            for client in self._hub.directory.clients.values()
            if client.is_device
        }

    def sessions_of(self, client_id: str) -> list[str]:
        """The running sessions of a device, or those that a constellation asked for."""
        return self._hub.directory.sessions_of(client_id)

    async def offer_task(self, device_id: str, user_request: str, task_name: str = "") -> None:
        """Offer a task to a device, which may then ask for it (wire/aip.md, 5). A checkpoint.

        Raises DeviceNotConnected.
        """
        client = self._hub.directory.device(device_id)
        if client is None:
            raise DeviceNotConnected(device_id)
        await client.session.tell(OfferTask(user_request, task_name))

    async def cancel_device_tasks(self, device_id: str, reason: str) -> None:
        """End the running tasks of a device as failed, and wait for that. A checkpoint."""
        await self._managers.cancel_sessions(device_id, reason)
        orders = [self._hub.directory.orders[session_id] for session_id in self.sessions_of(device_id)]
        for order in orders:
            if order.task is not None:
                with suppress(ActorStopped):
                    await order.task.tell(WindUp(reason))
        for order in orders:
            await order.ended.wait()

    def _joined(self) -> None:
        if self.lifecycle.can(ServerEvent.CONNECTED):
            self.lifecycle.fire(ServerEvent.CONNECTED)

    def _left(self) -> None:
        if not self.is_connected() and self.lifecycle.can(ServerEvent.ALL_GONE):
            self.lifecycle.fire(ServerEvent.ALL_GONE)

    async def _tell_lost(self, client: Client) -> None:  # noqa: ASYNC910 - internal
        if client.is_device:
            await self.on_device_disconnected(client.id)

    def _ended(self) -> None:
        if not self.lifecycle.done:
            self.lifecycle.fire(ServerEvent.STOPPED)
        for scope in self._receptions:
            scope.cancel()


class Connections(Supervisor):
    """One child for each client that is connected, named after it."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(strategy="simple_one_for_one")
        self._hub = hub

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        self._hub.connections = cast(SupervisorRef, self.ref)

    def children(self) -> Iterable[ChildSpec]:
        yield ChildSpec("connection", Connection, self._hub, restart="temporary", shutdown=20.0)


class Tasks(Supervisor):
    """One child for each task that runs."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(strategy="simple_one_for_one")
        self._hub = hub

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        self._hub.tasks = cast(SupervisorRef, self.ref)

    def children(self) -> Iterable[ChildSpec]:
        yield ChildSpec("task", Task, self._hub, restart="temporary", shutdown=70.0)
