"""The server of a fleet: devices and orchestrators connect to it, and it runs the tasks between them."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import trio

from aip_trio.actors import ChildSpec, Supervisor, SupervisorRef
from aip_trio.endpoints._base import AIPEndpoint
from aip_trio.endpoints._fittings import Fittings, Middleware
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
from aip_trio.endpoints.server._session import TaskFunction
from aip_trio.endpoints.server._statistics import ServerStatistics
from aip_trio.endpoints.server._task import Task
from aip_trio.endpoints.server._visits import Visits
from aip_trio.errors import (
    ActorStopped,
    DeviceNotConnected,
    EndpointNotRunning,
    InvalidSpec,
    StartFailed,
)
from aip_trio.extensions import AIPExtension
from aip_trio.messages import OfferTask
from aip_trio.protocol import LinkServer
from aip_trio.transport import AdapterName, check_adapter, is_asgi_websocket

if TYPE_CHECKING:
    from aip_trio.transport.zeromq import CurveServer

__all__ = ["DeviceServerEndpoint"]

logger = logging.getLogger("aip_trio.endpoints")


class DeviceServerEndpoint(AIPEndpoint):
    """Takes devices and constellations, and does tasks: each a ``task`` function over a `Session`.

    - ``ws_manager``, ``session_manager``: objects of the program's own that are told of clients and
      sessions (wire/aip-api.md); without them it keeps its own
    - ``local``: take clients of this machine alone
    - ``task``: ``async def task(session) -> result``; the default runs the commands that the request's
      metadata lists
    - ``host``, ``port``, ``path``, ``ssl_context``: where it listens by itself; port 0 picks one; without a
      port it takes connections by `handle_websocket` alone
    - ``allowed_origins``, ``allowed_hosts``: pages in browsers, and names of this server, that may come in,
      as for `serve_websocket`; by default no page, and on the loopback its names alone
    - ``url``: where it listens by ZeroMQ, too: ``tcp://``, ``ipc://`` or ``inproc://``, and ``curve``, the
      keys for that: as for `serve_zeromq`
    - ``adapter``: what speaks WebSocket, as for `serve_websocket`
    - ``certificate_names_client``: a client_id has to be a name in its client's certificate, the common name
      or a DNS name; the ``ssl_context`` has to demand one
    - ``token``: what clients must send as ``Authorization: Bearer …``; else they get 401 at the handshake
    - ``limits``: see `Limits`. ``drain``: seconds that running tasks may go on when it stops
    - ``resume_window``: seconds for which a client that lost its socket, and can resume its link (`aip.v2`),
      is still there: its tasks go on, and nothing is lost; 0: none
    - seconds: ``registration_timeout`` for a connection's first frame, ``ping_interval``, ``ping_timeout``
      without frame or pong until a connection is dead, ``ghost_timeout`` for an old connection to prove
      that it lives when its client comes anew, ``info_timeout`` for a device's answer about itself,
      ``hook_timeout`` for an async method of the managers, or `on_device_disconnected`: then it is cancelled
    - ``middleware``, ``extensions``: of all connections (see `AIPEndpoint`)

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
        certificate_names_client: bool = False,
        token: str | None = None,
        allowed_origins: Collection[str] = (),
        allowed_hosts: Collection[str] | None = None,
        limits: Limits | None = None,
        drain: float = 0.0,
        registration_timeout: float = 10.0,
        adapter: AdapterName = "native",
        ping_interval: float = 20.0,
        ping_timeout: float = 45.0,
        ghost_timeout: float = 2.0,
        resume_window: float = 120.0,
        info_timeout: float = 10.0,
        hook_timeout: float = 30.0,
        middleware: Sequence[Middleware] = (),
        extensions: Sequence[AIPExtension] = (),
        url: str | None = None,
        curve: CurveServer | None = None,
    ) -> None:
        if certificate_names_client and not _demands_certificate(ssl_context):
            raise InvalidSpec(
                "certificate_names_client",
                True,
                "needs an ssl_context whose verify_mode is ssl.CERT_REQUIRED",
            )
        super().__init__()
        self.lifecycle = SERVER_LIFECYCLE.start()
        self._hub = Hub(
            directory=Directory(limits or Limits()),
            links=LinkServer(window=resume_window),
            function=task,
            registration_timeout=registration_timeout,
            ghost_timeout=ghost_timeout,
            info_timeout=info_timeout,
            certificate_names_client=certificate_names_client,
            fittings=Fittings(middleware, extensions),
        )
        self._door = Door(
            host=host,
            port=port,
            path=path,
            token=token,
            local=local,
            ssl_context=ssl_context,
            allowed_origins=allowed_origins,
            allowed_hosts=allowed_hosts,
            adapter=check_adapter(adapter),
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            drain=drain,
            address=url,
            curve=curve,
        )
        self._managers = Managers(ws_manager, session_manager, hook_timeout)
        self._hook_timeout = hook_timeout
        self._visits = Visits(self._hub, self._door)

    def _specs(self) -> Iterable[ChildSpec]:
        hub, door = self._hub, self._door
        managers = self._managers
        watcher = Watcher(self._joined, self._left, self._tell_joined, self._tell_lost, managers.left)
        yield from hub.fittings.specs()
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
        """Where clients connect to; of two, the WebSocket's. Raises EndpointNotRunning without one."""
        return self.urls[0]

    @property
    def urls(self) -> list[str]:
        """All addresses that clients connect to. Raises EndpointNotRunning where it does not listen."""
        if self._ref is None or not self._door.urls:
            raise EndpointNotRunning("url", type(self).__name__)
        return self._door.urls

    async def handle_websocket(self, websocket: object) -> None:
        """Serve one connection until it, or the server, ends; for a web framework's route. A checkpoint.

        ``websocket``: one of Starlette or FastAPI, accepted already or not; a `Transport`; or what
        `WebSocketTransport` takes. It joins the system that the endpoint was started in, whatever task calls.
        The rules for an ASGI one are those of the server's own door (see `serve_asgi_websocket`); once the
        server has ended it is refused with 503. Raises EndpointNotRunning, UnknownWebSocket.
        """
        if self._ref is None or (self.lifecycle.done and not is_asgi_websocket(websocket)):
            raise EndpointNotRunning("handle_websocket()", type(self).__name__)
        await self._visits.receive(websocket, self.system)

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

    def statistics(self) -> ServerStatistics:
        """Who is there, what runs, and what was refused; any time, before the start and after the end too."""
        directory = self._hub.directory
        sockets = [server.statistics() for server in self._door.servers]
        refused = directory.tally.refused.copy()
        for each in sockets:
            refused.update(each.refusals)
        return ServerStatistics(
            clients=len(directory.clients),
            devices=len(self.devices),
            tasks=len(directory.orders),
            connections=len(self._visits) + sum(each.connections for each in sockets),
            accepted=sum(each.accepted for each in sockets),
            refused=dict(refused),
            failed=sum(each.failed for each in sockets),
            slow=directory.tally.slow,
        )

    def _joined(self) -> None:
        if self.lifecycle.can(ServerEvent.CONNECTED):
            self.lifecycle.fire(ServerEvent.CONNECTED)

    def _left(self) -> None:
        if not self.is_connected() and self.lifecycle.can(ServerEvent.ALL_GONE):
            self.lifecycle.fire(ServerEvent.ALL_GONE)

    async def _tell_joined(self, client: Client) -> None:  # noqa: ASYNC910 - internal
        self._hub.fittings.calls.established(client.id)
        await self._managers.joined(client)

    async def _tell_lost(self, client: Client) -> None:  # noqa: ASYNC910 - internal
        self._hub.fittings.calls.closed(client.id)
        if not client.is_device:
            return  # noqa: ASYNC910 - internal
        with trio.move_on_after(self._hook_timeout) as patience:
            await self.on_device_disconnected(client.id)
        if patience.cancelled_caught:
            told = "on_device_disconnected(%r) was cancelled: it did not return within %g s"
            logger.error(told, client.id, self._hook_timeout)

    def _ended(self) -> None:
        if not self.lifecycle.done:
            self.lifecycle.fire(ServerEvent.STOPPED)
        self._visits.end()


def _demands_certificate(context: ssl.SSLContext | None) -> bool:
    return context is not None and context.verify_mode is ssl.CERT_REQUIRED


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
