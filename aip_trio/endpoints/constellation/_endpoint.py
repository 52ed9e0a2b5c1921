"""An orchestrator: gives tasks to devices, over one connection for each."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import trio

from aip_trio.actors import (
    ActorRef,
    ChildSpec,
    StopReason,
    Supervisor,
    SupervisorRef,
    current_environment,
)
from aip_trio.endpoints._base import AIPEndpoint
from aip_trio.endpoints._fittings import Fittings, Middleware
from aip_trio.endpoints._lifecycle import CONSTELLATION_LIFECYCLE, ConstellationEvent
from aip_trio.endpoints._processors import Processors, processed_by, processors_of
from aip_trio.endpoints._profile import AgentProfile
from aip_trio.endpoints._tasks import ExecutionResult, TaskRequest
from aip_trio.endpoints.connection import (
    REPAIRS,
    Dial,
    Outbox,
    bearer,
    connect_first,
    connection_spec,
    reconnect,
    revive,
    transports,
)
from aip_trio.endpoints.constellation._keeper import GaveUp, Keeper, Watcher
from aip_trio.endpoints.constellation._roster import Roster
from aip_trio.endpoints.constellation._session import ConstellationSession
from aip_trio.errors import (
    ActorStopped,
    DeviceInfoUnavailable,
    DeviceNotConnected,
    EndpointNotRunning,
    RestartIntensityExceeded,
)
from aip_trio.extensions import AIPExtension
from aip_trio.messages import (
    AskDeviceInfo,
    AskForTask,
    ClientType,
    DeviceInfo,
    ServerMessage,
    ServerMessageType,
    TaskEnded,
    TaskStatus,
)
from aip_trio.protocol import SUBPROTOCOLS
from aip_trio.resilience import ReconnectionStrategy
from aip_trio.transport import AdapterName, Transport

if TYPE_CHECKING:
    from aip_trio.transport.zeromq import CurveClient

__all__ = ["ConstellationEndpoint"]

logger = logging.getLogger("aip_trio.endpoints")


class ConstellationEndpoint(AIPEndpoint):
    """Gives tasks to devices, asks about them, and keeps one connection for each.

    - ``task_name``: of what it is doing; for a device ``dev`` it registers as ``task_name@dev``
    - ``message_processor``: sees every message; or several, one after another
    - ``adapter``: what speaks WebSocket, as for `WebSocketTransport`; ``curve``: the keys for devices at
      addresses of ZeroMQ, as for `ZeroMQTransport`; ``make_transport``: makes what it talks over instead
    - ``token``: for servers that ask for one; ``metadata``: told to the servers
    - ``middleware``, ``extensions``: of all its connections (see `AIPEndpoint`)
    - ``subprotocols``: the links that it offers, the preferred one first; ``("aip.v1",)``: none that resumes,
      as where the strategy has no retries, and no ``resume_window`` is given: seconds for which it tries to
      resume a link, if the server lets it

    Source: seed 000, "ConstellationEndpoint".
    """

    _name = "constellation"

    def __init__(
        self,
        task_name: str,
        message_processor: Processors = None,
        *,
        reconnection_strategy: ReconnectionStrategy | None = None,
        heartbeat_interval: float = 20.0,
        timeout: float = 120.0,
        token: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        headers: Sequence[tuple[str, str]] = (),
        ssl_context: ssl.SSLContext | None = None,
        adapter: AdapterName = "native",
        middleware: Sequence[Middleware] = (),
        extensions: Sequence[AIPExtension] = (),
        make_transport: Callable[[], Transport] | None = None,
        subprotocols: Sequence[str] = SUBPROTOCOLS,
        resume_window: float | None = None,
        curve: CurveClient | None = None,
    ) -> None:
        super().__init__(None, reconnection_strategy, heartbeat_interval, timeout)
        self.task_name = task_name
        self.message_processor = message_processor
        self.lifecycle = CONSTELLATION_LIFECYCLE.start()
        self._own_strategy = reconnection_strategy
        self._metadata = {"type": "constellation_client", "progress": True, **(metadata or {})}
        self._headers = (*headers, *bearer(token))
        self._ssl_context = ssl_context
        self._timeout = timeout
        self._fittings = Fittings(middleware, extensions)
        self._make_transport = transports(make_transport, adapter, curve)
        self._subprotocols = subprotocols
        self._resume_window = resume_window
        self._roster = Roster()
        #: by device: connections that are being made
        self._connecting: dict[str, trio.Event] = {}

    def _specs(self) -> Iterable[ChildSpec]:
        watcher = Watcher(self._came, self._went, self._lost)
        yield from self._fittings.specs(REPAIRS)
        yield ChildSpec("roster", Keeper, self._roster, watcher, backoff=REPAIRS)
        yield ChildSpec("devices", Devices)

    async def start(self) -> None:
        """Start it; devices are connected one by one. A checkpoint. Raises NoSystem."""
        await super().start()

    def _begin(self) -> None:
        self.lifecycle.fire(ConstellationEvent.START)

    async def stop(self) -> None:
        """Close all connections, and stop. A checkpoint."""
        if self.lifecycle.can(ConstellationEvent.STOP):
            self.lifecycle.fire(ConstellationEvent.STOP)
        await super().stop()

    def _ended(self) -> None:
        if not self.lifecycle.done:
            self.lifecycle.fire(ConstellationEvent.STOPPED)
        for device_id in tuple(self._roster.profiles):
            self._roster.fail_tasks(device_id, "constellation_stopped")

    # Devices

    async def connect_to_device(
        self, device_info: AgentProfile, message_processor: Processors = None
    ) -> ActorRef:
        """Connect to a device's server for that device; the connection comes back by itself when it is lost.

        A checkpoint. Tried again as the strategy says, else ``device_info.max_retries`` times. Returns the
        actor that owns the connection; harmless where there is one already. Raises the last ConnectionError:
        RegistrationRefused where the server does not know the device; StartCalledOff where it, or the
        endpoint, is stopped meanwhile.
        """
        device_id = device_info.device_id
        while (under_way := self._connecting.get(device_id)) is not None:
            await under_way.wait()
        devices = self._devices("connect_to_device()")
        known = [child.ref for child in devices.which_children() if child.name == device_id]
        if known:
            await trio.lowlevel.checkpoint()
            await revive(cast(SupervisorRef, known[0]))
            return known[0]
        self._connecting[device_id] = over = trio.Event()
        try:
            return await self._connect(devices, device_info, message_processor or self.message_processor)
        finally:
            del self._connecting[device_id]
            over.set()

    async def _connect(
        self, devices: SupervisorRef, device_info: AgentProfile, processors: Processors
    ) -> ActorRef:
        device_id = device_info.device_id
        dial = self._dial(device_info, processors)
        self._roster.profiles[device_id] = device_info
        device_info.status = "connecting"
        roster = self.system.find(f"{self.ref.path}/roster")
        assert roster is not None

        async def attempt() -> ActorRef:
            device_info.connection_attempts += 1
            return await devices.start_child_with(dial, roster, name=device_id)

        try:
            return await connect_first(attempt, dial.patience, dial.client_id)
        except BaseException:
            device_info.status = "failed"
            raise

    def _dial(self, profile: AgentProfile, given: Processors) -> Dial:
        processors = processors_of(given)
        strategy = self._own_strategy or ReconnectionStrategy(profile.max_retries)

        async def observe(message: ServerMessage) -> None:  # noqa: ASYNC910 - internal
            if message.type is ServerMessageType.HEARTBEAT:
                profile.last_heartbeat = current_environment().now()
            if message.messages:
                ended = message.type is ServerMessageType.TASK_END
                self._roster.log(message.session_id, message.messages, complete=ended)
            await processed_by(processors, message, profile.device_id)

        metadata = {**self._metadata, "targeted_device_id": profile.device_id}
        return Dial(
            url=profile.server_url,
            client_id=f"{self.task_name}@{profile.device_id}",
            client_type=ClientType.CONSTELLATION,
            target_id=profile.device_id,
            metadata=lambda: metadata,
            backoff=strategy.backoff,
            headers=self._headers,
            ssl_context=self._ssl_context,
            heartbeat_interval=self.heartbeat_interval,
            timeout=self._timeout,
            fittings=self._fittings,
            observe=observe,
            make_transport=self._make_transport,
            subprotocols=self._subprotocols,
            resume_window=self._resume_window,
        )

    def is_device_connected(self, device_id: str) -> bool:
        """Whether there is a connection for it now."""
        return device_id in self._roster.lines

    def is_connected(self) -> bool:
        """Whether there is a connection for any device."""
        return bool(self._roster.lines)

    @property
    def devices(self) -> Mapping[str, AgentProfile]:
        """All that it was told to connect to, and how they are."""
        return dict(self._roster.profiles)

    async def disconnect_device(self, device_id: str) -> None:
        """Close a device's connection for good; its tasks end failed. A checkpoint.

        Raises DeviceNotConnected where it was never connected.
        """
        ref = self._device(device_id, "disconnect_device()")
        await self._devices("disconnect_device()").terminate_child(ref)
        self._roster.fail_tasks(device_id, "device_disconnected")
        self._roster.profiles.pop(device_id, None)

    async def reconnect_device(self, device_id: str) -> bool:
        """Drop what there is of a device's connection, and connect anew, now. A checkpoint.

        True; or it raises the ConnectionError, and there is no connection until the next call.
        """
        await reconnect(self._device(device_id, "reconnect_device()"))
        return True

    def _came(self, device_id: str) -> None:
        self._fittings.calls.established(device_id)
        if self.lifecycle.can(ConstellationEvent.DEVICE_CONNECTED):
            self.lifecycle.fire(ConstellationEvent.DEVICE_CONNECTED)

    def _went(self, device_id: str) -> None:
        self._fittings.calls.closed(device_id)
        if not self.is_connected() and self.lifecycle.can(ConstellationEvent.ALL_GONE):
            self.lifecycle.fire(ConstellationEvent.ALL_GONE)

    async def _lost(self, device_id: str) -> None:
        await self.on_device_disconnected(device_id)

    # Tasks

    async def send_task_to_device(
        self,
        device_id: str,
        task_request: Mapping[str, Any] | TaskRequest,
        *,
        on_log: Callable[[str], object] | None = None,
    ) -> ExecutionResult:
        """Give a device a task, and wait until it has ended, completed or failed. A checkpoint.

        ``on_log`` is called with each line that the task's function logs, as it comes.

        Cancelled or too late, the task goes on at the server; its end is then logged, and nothing else. Of a
        connection that is lost, the task has failed with ``device_disconnected``: ask again under the same
        session_id, and a command may run twice. Raises DeviceNotConnected, OperationTimeout (a
        TimeoutError) after the request's timeout, SessionTaken, InvalidSpec, EncodeError.
        """
        request = TaskRequest.of(task_request, device_id)
        line = self._roster.line(device_id)
        request_id = current_environment().new_id()
        pending = self._roster.expect_task(request.task_id, device_id, on_log, request_id)
        message = AskForTask(
            request=request.request,
            client_id=line.client_id,
            client_type=line.client_type,
            task_name=request.task_name or self.task_name,
            session_id=request.task_id,
            target_id=device_id,
            metadata=dict(request.metadata),
            request_id=request_id,
        )

        async def exchange() -> None:
            await line.send(message)
            await pending.wait()

        try:
            await self.timeout_manager.with_timeout(
                exchange, request.timeout, f"task {request.task_id} on {device_id}"
            )
        finally:
            self._roster.forget_task(request.task_id)
        end = cast(TaskEnded, pending.answer)
        return ExecutionResult(
            task_id=request.task_id,
            status=end.status,
            error=end.error,
            result=end.result,
            metadata={"device_id": device_id, "log": pending.log},
        )

    async def request_device_info(self, device_id: str) -> dict[str, Any] | None:
        """What a device tells of itself; None where it cannot be had, which is logged. A checkpoint."""
        try:
            return await self.device_info(device_id)
        except (DeviceInfoUnavailable, ConnectionError, TimeoutError) as error:
            logger.warning("%s", error)
            return None  # noqa: ASYNC910 - the failed question was one

    async def device_info(self, device_id: str) -> dict[str, Any]:
        """What a device tells of itself. A checkpoint.

        Raises DeviceInfoUnavailable, DeviceNotConnected, OperationTimeout after the default timeout.
        """
        line = self._roster.line(device_id)
        request_id = current_environment().new_id()
        pending = self._roster.expect_answer(request_id, device_id)

        async def exchange() -> None:
            await line.send(AskDeviceInfo(device_id, request_id))
            await pending.wait()

        try:
            await self.timeout_manager.with_timeout(exchange, None, f"device info of {device_id}")
        finally:
            self._roster.forget_answer(request_id)
        answer = cast(DeviceInfo, pending.answer)
        info: object = answer.result
        if answer.status is TaskStatus.ERROR or not isinstance(info, dict):
            raise DeviceInfoUnavailable(device_id, answer.error or "the server sent none")
        return cast("dict[str, Any]", info)

    async def cancel_device_tasks(self, device_id: str, reason: str) -> None:
        """End the tasks that wait for a device as failed, for this reason. A checkpoint."""
        for session_id in self._roster.fail_tasks(device_id, reason):
            logger.info("task %s on %s was cancelled: %s", session_id, device_id, reason)
        await trio.lowlevel.checkpoint()

    def _devices(self, call: str) -> SupervisorRef:
        ref = self.system.find(f"{self.ref.path}/devices") if self._ref is not None else None
        if not isinstance(ref, SupervisorRef):
            raise EndpointNotRunning(call, type(self).__name__)
        return ref

    def _device(self, device_id: str, call: str) -> SupervisorRef:
        path = f"{self._devices(call).path}/{device_id}"
        ref = self.system.find(path)
        if not isinstance(ref, SupervisorRef):
            raise DeviceNotConnected(device_id)
        return ref


class Devices(Supervisor):
    """One child for each device; one that has given up is forgotten."""

    def __init__(self) -> None:
        super().__init__(strategy="simple_one_for_one")

    def children(self) -> Iterable[ChildSpec]:
        yield ChildSpec("device", Device, restart="temporary")


class Device(Supervisor):
    """A device's connection, and its outbox, which outlives connections."""

    def __init__(self, dial: Dial, roster: ActorRef) -> None:
        super().__init__(strategy="rest_for_one", intensity=0)
        self._dial = dial
        self._roster = roster

    async def stopping(self, reason: StopReason | BaseException) -> None:  # noqa: ASYNC910 - internal
        """Say so where it has given up."""
        if isinstance(reason, RestartIntensityExceeded) and self._dial.target_id is not None:
            with suppress(ActorStopped):
                await self._roster.tell(GaveUp(self._dial.target_id))

    def children(self) -> Iterable[ChildSpec]:
        yield ChildSpec("outbox", Outbox, backoff=REPAIRS)
        yield connection_spec(self._dial, partial(ConstellationSession, self._dial, self._roster))
