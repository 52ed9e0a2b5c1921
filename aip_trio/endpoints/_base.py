"""What the three endpoints have in common."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Literal, Self, TypeVar

import attrs
import trio

from aip_trio.actors import (
    ActorSystem,
    ChildSpec,
    RestartType,
    Supervisor,
    SupervisorRef,
    current_system,
    open_system,
)
from aip_trio.errors import EndpointNotRunning, NoSystem, StartCalledOff
from aip_trio.messages import ClientMessage, ServerMessage
from aip_trio.protocol import AIPProtocol
from aip_trio.resilience import ReconnectionStrategy, TimeoutManager

__all__ = ["AIPEndpoint"]

M = TypeVar("M", ClientMessage, ServerMessage)


class Tree(Supervisor):
    """The top of an endpoint's tree."""

    def __init__(self, endpoint: AIPEndpoint) -> None:
        super().__init__(strategy=endpoint._strategy, intensity=endpoint._intensity)
        self._endpoint = endpoint

    def children(self) -> Iterable[ChildSpec]:
        return self._endpoint._specs()


@attrs.frozen(eq=False)
class Start:
    """A start that is under way, until it is ``over``."""

    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    over: trio.Event = attrs.field(factory=trio.Event)


class AIPEndpoint:
    """A tree of supervised actors, started and stopped as one.

    ``await endpoint.start()`` inside a system spawns the tree below that system's root; ``async with
    endpoint:`` does the same, and outside of a system opens one for it. By itself, with a ``protocol``, it
    is a plain conversation over that protocol.

    The three endpoints take ``middleware`` and ``extensions``. An object in ``middleware`` sees the messages
    of all connections, and what it keeps, it keeps for all of them; a function that makes one is called for
    each connection, and what that one keeps is this connection's. Where it fails, the message goes no
    further, the other side is told, and the connection goes on. ``extensions`` are told of what happens
    beside that (see `AIPExtension`).

    - ``reconnection_strategy``: how often, and how long apart, to connect again
    - ``heartbeat_interval``, ``default_timeout``: seconds

    Source: seed 000, "Base Endpoint: AIPEndpoint".
    """

    def __init__(
        self,
        protocol: AIPProtocol | None = None,
        reconnection_strategy: ReconnectionStrategy | None = None,
        heartbeat_interval: float = 30.0,
        default_timeout: float = 120.0,
    ) -> None:
        self.protocol = protocol
        self.reconnection_strategy = reconnection_strategy or ReconnectionStrategy()
        self.heartbeat_interval = heartbeat_interval
        self.timeout_manager = TimeoutManager(default_timeout)
        self._ref: SupervisorRef | None = None
        self._system: ActorSystem | None = None
        self._own: AsyncExitStack | None = None
        self._start: Start | None = None

    #: its name in the tree, and how many crashes of its parts within 5 s are too many
    _name = "endpoint"
    _intensity = 3
    _strategy: Literal["one_for_one", "rest_for_one"] = "one_for_one"

    def _specs(self) -> Iterable[ChildSpec]:
        """The children of its tree."""
        return ()

    @property
    def ref(self) -> SupervisorRef:
        """The top of its tree. Raises EndpointNotRunning."""
        if self._ref is None:
            raise EndpointNotRunning("ref", type(self).__name__)
        return self._ref

    @property
    def system(self) -> ActorSystem:
        """The system that it runs in. Raises EndpointNotRunning."""
        if self._system is None:
            raise EndpointNotRunning("system", type(self).__name__)
        return self._system

    async def start(self) -> None:
        """Start the tree in the system of the calling task, and wait until it is up. A checkpoint.

        Raises NoSystem outside of one; StartFailed with the cause; StartCalledOff where `stop` comes first.
        """
        system = current_system()
        self._begin()
        start = self._start = Start()
        try:
            with start.scope:
                await self._come_up(system)
        finally:
            if self._ref is None:
                self._ended()
            start.over.set()
        if self._ref is None:
            raise StartCalledOff(type(self).__name__)

    def _begin(self) -> None:
        """Its start was called. Raises IllegalTransition where that was done before."""

    async def _come_up(self, system: ActorSystem) -> None:
        """Have the tree up, however long it takes."""
        await self._spawn(system)

    async def _spawn(self, system: ActorSystem) -> None:
        name = self._name if system.find(f"/{self._name}") is None else None
        # Temporary: an endpoint that has given up is not tried again behind its owner's back. In a system of
        # its own it is the whole point, and its failure is the system's.
        restart = RestartType.TEMPORARY if self._own is None else RestartType.TRANSIENT
        self._ref = await system.spawn(Tree, self, name=name, restart=restart)
        self._system = system
        system.nursery.start_soon(self._watch, self._ref)

    async def _watch(self, ref: SupervisorRef) -> None:
        with trio.CancelScope(shield=True):  # its system ends the tree, however that is ended itself
            await ref.stopped()
        self._ended()

    def _ended(self) -> None:
        """Its tree has ended, for whatever reason."""

    async def stop(self) -> None:
        """Stop the tree in order, and wait for its end. A checkpoint; harmless where it does not run.

        A `start` that is under way is called off.
        """
        if self._start is not None and not self._start.over.is_set():
            self._start.scope.cancel()
            await self._start.over.wait()
        if self._ref is None:
            await trio.lowlevel.checkpoint()
        else:
            await self._ref.stop()
            self._ended()

    async def stopped(self) -> None:
        """Wait until the tree has ended, for whatever reason. A checkpoint. Raises EndpointNotRunning."""
        await self.ref.stopped()
        self._ended()

    async def __aenter__(self) -> Self:
        try:
            current_system()
        except NoSystem:
            self._own = AsyncExitStack()
            await self._own.enter_async_context(open_system(intensity=0))
        try:
            await self.start()
        except BaseException as error:
            if self._own is not None:
                trace = error.__traceback__
                await self._own.__aexit__(type(error), error, trace)  # noqa: ASYNC102 - its cancel_grace bounds it
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            await self.stop()  # noqa: ASYNC102 - in order, as the block's end
        finally:
            if self._own is not None:
                await self._own.__aexit__(kind, error, trace)  # noqa: ASYNC102 - its cancel_grace bounds it
        return None

    def is_connected(self) -> bool:
        """Whether messages can be exchanged now."""
        return self.protocol is not None and self.protocol.is_connected()

    async def handle_message(self, msg: ClientMessage | ServerMessage) -> None:
        """Give a message to the handlers that were registered with the protocol. A checkpoint."""
        await self._conversation("handle_message()").dispatch_message(msg)

    async def send_with_timeout(
        self,
        msg: ClientMessage | ServerMessage,
        timeout: float | None = None,  # noqa: ASYNC109 - seed 000 has it
    ) -> None:
        """Send within so many seconds. A checkpoint. Raises OperationTimeout, a TimeoutError."""
        protocol = self._conversation("send_with_timeout()")
        await self.timeout_manager.with_timeout(protocol.send_message(msg), timeout, "send")

    async def receive_with_timeout(
        self,
        message_type: type[M],
        timeout: float | None = None,  # noqa: ASYNC109 - seed 000 has it
    ) -> M:
        """The next message, within so many seconds. A checkpoint. Raises OperationTimeout, DecodeError."""
        protocol = self._conversation("receive_with_timeout()")
        return await self.timeout_manager.with_timeout(
            protocol.receive_message(message_type), timeout, "receive"
        )

    def _conversation(self, call: str) -> AIPProtocol:
        if self.protocol is None:
            raise EndpointNotRunning(call, type(self).__name__)
        return self.protocol

    async def reconnect_device(self, device_id: str) -> bool:
        """Connect once more, now. True, or an error. A checkpoint; for subclasses to override."""
        raise EndpointNotRunning("reconnect_device()", type(self).__name__)

    async def cancel_device_tasks(self, device_id: str, reason: str) -> None:
        """End the tasks of a device as failed, for this reason. A checkpoint; for subclasses to override."""
        await trio.lowlevel.checkpoint()

    async def on_device_disconnected(self, device_id: str) -> None:
        """Called when a device's connection was lost. Override it, and call the parent's. A checkpoint."""
        await self.cancel_device_tasks(device_id, "device_disconnected")
