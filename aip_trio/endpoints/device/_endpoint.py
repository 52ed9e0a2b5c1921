"""A device: connects to a server, and does what it is told."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from aip_trio.actors import ActorRef, ActorSystem, ChildSpec
from aip_trio.endpoints._base import AIPEndpoint
from aip_trio.endpoints._fittings import Fittings, Middleware
from aip_trio.endpoints._lifecycle import CLIENT_LIFECYCLE, ClientEvent, ClientState
from aip_trio.endpoints.connection import (
    REPAIRS,
    Dial,
    Outbox,
    Send,
    Taps,
    Watch,
    bearer,
    connect_first,
    connection_spec,
    reconnect,
    transports,
)
from aip_trio.endpoints.device._executor import Client, Executor
from aip_trio.endpoints.device._session import DeviceSession
from aip_trio.errors import EndpointNotRunning, InvalidMessage
from aip_trio.extensions import AIPExtension
from aip_trio.messages import (
    ClientMessage,
    ClientType,
    ReportDeviceInfo,
    ServerMessage,
    narrow_client,
    narrow_server,
)
from aip_trio.protocol import SUBPROTOCOLS
from aip_trio.resilience import ReconnectionStrategy
from aip_trio.transport import AdapterName, Transport

if TYPE_CHECKING:
    from aip_trio.transport.zeromq import CurveClient

__all__ = ["DeviceClientEndpoint"]

M = TypeVar("M", ClientMessage, ServerMessage)


class DeviceClientEndpoint(AIPEndpoint):
    """A device's end: registers as ``ufo_client.client_id``, and has that client do the commands.

    - ``ws_url``: of the server: ``ws://`` or ``wss://``, or one of ZeroMQ's: ``tcp://``, ``ipc://``,
      ``inproc://``
    - ``ufo_client``: does the work (seed 000): ``client_id``, ``platform``, ``session_id``, ``reset()``
      and ``async execute_step(server_message) -> results``; a `ToolClient` is one
    - ``reconnection_strategy``, or ``max_retries`` of one (None: for ever); ``timeout``: seconds for
      connecting and for registering
    - ``token``: for a server that asks for one; ``metadata``: told to the server; ``heartbeat_interval``:
      seconds
    - ``adapter``: what speaks WebSocket, as for `WebSocketTransport`; ``curve``: the keys for ZeroMQ, as for
      `ZeroMQTransport`; ``make_transport``: makes what it talks over instead
    - ``subprotocols``: the links that it offers, the preferred one first; ``("aip.v1",)``: none that resumes,
      as where the strategy has no retries, and no ``resume_window`` is given: seconds for which it tries to
      resume a link, if the server lets it
    - ``middleware``, ``extensions``: of its connection (see `AIPEndpoint`)

    Source: seed 000, "DeviceClientEndpoint".
    """

    _name = "device"
    _intensity = 0  # a connection that has given up is the end; other parts have a backoff of their own
    # What the parts before the connection forget in a crash, the server must not count on: the connection
    # ends with them, and so do its tasks.
    _strategy: Literal["one_for_one", "rest_for_one"] = "rest_for_one"

    def __init__(
        self,
        ws_url: str,
        ufo_client: Client,
        max_retries: int | None = 3,
        timeout: float = 120.0,
        reconnection_strategy: ReconnectionStrategy | None = None,
        *,
        token: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        heartbeat_interval: float = 20.0,
        headers: Sequence[tuple[str, str]] = (),
        ssl_context: ssl.SSLContext | None = None,
        middleware: Sequence[Middleware] = (),
        extensions: Sequence[AIPExtension] = (),
        adapter: AdapterName = "native",
        make_transport: Callable[[], Transport] | None = None,
        subprotocols: Sequence[str] = SUBPROTOCOLS,
        resume_window: float | None = None,
        curve: CurveClient | None = None,
    ) -> None:
        strategy = reconnection_strategy or ReconnectionStrategy(max_retries, initial_backoff=2.0)
        super().__init__(None, strategy, heartbeat_interval, timeout)
        self.ufo_client = ufo_client
        self.lifecycle = CLIENT_LIFECYCLE.start()
        self._metadata = dict(metadata or {})
        self._taps = Taps()
        self._fittings = Fittings(middleware, extensions)
        self._dial = Dial(
            url=ws_url,
            client_id=ufo_client.client_id,
            client_type=ClientType.DEVICE,
            platform=ufo_client.platform,
            metadata=self._profile,
            backoff=strategy.backoff,
            headers=(*headers, *bearer(token)),
            ssl_context=ssl_context,
            heartbeat_interval=heartbeat_interval,
            timeout=timeout,
            fittings=self._fittings,
            observe=self._tap,
            make_transport=transports(make_transport, adapter, curve),
            subprotocols=subprotocols,
            resume_window=resume_window,
        )

    def _specs(self) -> Iterable[ChildSpec]:
        session = partial(DeviceSession, self._dial, self._info)
        yield from self._fittings.specs(REPAIRS)
        yield ChildSpec("executor", Executor, self.ufo_client, backoff=REPAIRS)
        yield ChildSpec("outbox", Outbox, backoff=REPAIRS)
        yield ChildSpec("watch", Watch, self._came, self._went, self._lost, backoff=REPAIRS)
        yield connection_spec(self._dial, session)

    async def start(self) -> None:
        """Connect and register, as often as the strategy says. A checkpoint.

        Raises the last ConnectionError when its retries are used up; StartCalledOff, which is one, where
        `stop` comes first; InvalidUrl; NoSystem outside of a system.
        """
        await super().start()

    def _begin(self) -> None:
        self.lifecycle.fire(ClientEvent.START)

    async def _come_up(self, system: ActorSystem) -> None:
        await connect_first(partial(self._spawn, system), self._dial.patience, self._dial.client_id)

    async def stop(self) -> None:
        """Close the connection in order, and stop. A checkpoint."""
        if self.lifecycle.can(ClientEvent.STOP):
            self.lifecycle.fire(ClientEvent.STOP)
        await super().stop()

    def _ended(self) -> None:
        if not self.lifecycle.done:
            self.lifecycle.fire(ClientEvent.STOPPED)

    def is_connected(self) -> bool:
        """Whether it is registered at the server now."""
        return self.lifecycle.state is ClientState.CONNECTED

    def _came(self) -> None:
        self._fittings.calls.established(self.ufo_client.client_id)
        if self.lifecycle.can(ClientEvent.REGISTERED):
            self.lifecycle.fire(ClientEvent.REGISTERED)

    def _went(self) -> bool:
        self._fittings.calls.closed(self.ufo_client.client_id)
        lost = self.is_connected()  # else it was given up by us
        if self.lifecycle.can(ClientEvent.LOST):
            self.lifecycle.fire(ClientEvent.LOST)
        return lost

    async def _lost(self) -> None:
        await self.on_device_disconnected(self.ufo_client.client_id)

    # What the device tells of itself

    def _info(self) -> Mapping[str, Any]:
        return self._system_info() or self._metadata

    def _profile(self) -> Mapping[str, Any]:
        """The metadata of a registration."""
        info = self._system_info()
        return self._metadata if info is None else {**self._metadata, "system_info": info}

    def _system_info(self) -> dict[str, Any] | None:
        """What the client knows of itself; the seed's client has no such method."""
        ask: Callable[[], Mapping[str, Any]] | None = getattr(self.ufo_client, "system_info", None)
        return None if ask is None else dict(ask())

    async def push_device_info(self) -> None:
        """Tell the server of this device, unasked; kept for the next connection where there is none.

        A checkpoint.
        """
        await self._outbox("push_device_info()").tell(
            Send(ReportDeviceInfo(dict(self._info())), lasting=True)
        )

    # Messages

    async def handle_message(self, msg: ClientMessage | ServerMessage) -> None:
        """Act on a message as if the server had sent it. A checkpoint."""
        if not isinstance(msg, ServerMessage):
            raise InvalidMessage(msg, "is no ServerMessage: a device acts on what servers send")
        await self._part("connection/session", "handle_message()").tell(narrow_server(msg))

    async def send_with_timeout(
        self,
        msg: ClientMessage | ServerMessage,
        timeout: float | None = None,  # noqa: ASYNC109 - seed 000 has it
    ) -> None:
        """Send to the server within so many seconds. A checkpoint. Raises OperationTimeout."""
        if not isinstance(msg, ClientMessage):
            raise InvalidMessage(msg, "is no ClientMessage: a device sends those")
        outbox = self._outbox("send_with_timeout()")
        await self.timeout_manager.with_timeout(outbox.tell(Send(narrow_client(msg))), timeout, "send")

    async def receive_with_timeout(
        self,
        message_type: type[M],
        timeout: float | None = None,  # noqa: ASYNC109 - seed 000 has it
    ) -> M:
        """The next message from the server, which is acted on all the same. A checkpoint.

        Raises OperationTimeout.
        """
        if message_type is not ServerMessage:
            raise InvalidMessage(message_type, "is not ServerMessage: a device receives those")
        message: object = await self.timeout_manager.with_timeout(self._taps.next, timeout, "receive")
        assert isinstance(message, message_type)
        return message

    async def _tap(self, message: ServerMessage) -> None:  # noqa: ASYNC910 - internal
        self._taps.show(message)

    async def reconnect_device(self, device_id: str) -> bool:
        """Drop what there is of a connection, and connect anew, now. A checkpoint.

        True; or it raises the ConnectionError, and there is no connection until the next call.
        """
        await reconnect(self.ref)
        return True

    def _outbox(self, call: str) -> ActorRef:
        return self._part("outbox", call)

    def _part(self, name: str, call: str) -> ActorRef:
        ref = self.system.find(f"{self.ref.path}/{name}") if self._ref is not None else None
        if ref is None:
            raise EndpointNotRunning(call, type(self).__name__)
        return ref
