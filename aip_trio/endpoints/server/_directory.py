"""Who is connected to a server, and which task sessions run: a table, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import trio

from aip_trio.actors import ActorRef
from aip_trio.endpoints.server._limits import Limits
from aip_trio.endpoints.server._line import ServerLine
from aip_trio.endpoints.server._statistics import Tally
from aip_trio.endpoints.server._turns import OpenTurns
from aip_trio.errors import RegistrationRefused, TaskRefused
from aip_trio.messages import AskForTask, ClientType, Register
from aip_trio.protocol import LONGEST_ID, Admission

__all__ = ["Client", "Directory", "TaskOrder"]

_ADMISSION = Admission()


@attrs.define(eq=False)
class Client:
    """A client that is connected: what it registered as, and how to reach it."""

    register: Register
    line: ServerLine
    #: what it was told to do, and has not answered yet
    turns: OpenTurns
    session: ActorRef
    #: the supervisor of link and session: ended, it ends both
    connection: ActorRef
    websocket: object = attrs.field(repr=False)
    #: what it said of itself last; begins with the registration's ``metadata["system_info"]``
    info: Mapping[str, Any] | None = None
    #: how many of the tasks that it asked for are running, and how many run on it
    tasks: int = 0
    sessions: int = 0

    @property
    def id(self) -> str:
        """The id that it registered with."""
        return self.register.client_id

    @property
    def wants_progress(self) -> bool:
        """Whether it said in its registration that it takes word of a task before its end."""
        return not self.is_device and (self.register.metadata or {}).get("progress") is True

    @property
    def is_device(self) -> bool:
        """Whether it is a device; else a constellation."""
        return self.register.client_type is ClientType.DEVICE


@attrs.define(eq=False)
class TaskOrder:
    """A task that was accepted: who asked for it, and which device it was assigned to."""

    session_id: str
    request: str
    task_name: str
    metadata: Mapping[str, Any]
    device: Client
    asker: Client
    #: the request's own id, for the answer
    request_id: str | None = None
    #: the actor that does it, once it runs
    task: ActorRef | None = None
    ended: trio.Event = attrs.field(init=False, factory=trio.Event)


@attrs.define(eq=False)
class Directory:
    """The table that the parts of a server share; it outlives all of them, as an ETS table with an heir does.

    An id is claimed while its registration is under way, so that of two newcomers with one id only one
    goes on. Wire rules: wire/aip.md, 1, 2 and 7.
    """

    limits: Limits = attrs.field(factory=Limits)
    tally: Tally = attrs.field(init=False, factory=Tally)
    #: the server stops: what runs may end, and nothing more begins
    closing: bool = attrs.field(init=False, default=False)
    clients: dict[str, Client] = attrs.field(init=False, factory=dict[str, Client])
    orders: dict[str, TaskOrder] = attrs.field(init=False, factory=dict[str, TaskOrder])
    _sessions: dict[ActorRef, Client] = attrs.field(init=False, factory=dict["ActorRef", Client])
    _claims: dict[str, Register] = attrs.field(init=False, factory=dict[str, Register])

    def __contains__(self, device_id: object) -> bool:
        """Whether a device of this id is connected."""
        return isinstance(device_id, str) and self.device(device_id) is not None

    def claim(self, register: Register) -> Client | None:
        """Reserve an id for a newcomer, until `confirm` or `release`.

        Returns the client that has it already, if one does: the newcomer may go on only when that one
        has gone. Raises RegistrationRefused, and reserves nothing then.
        """
        client_id = register.client_id
        if client_id in self._claims:
            reason = "another connection is registering with this client_id: try again"
            raise self.refusal("taken", client_id, reason)
        refused = _ADMISSION.target(register, self)
        if refused is not None:
            raise self.refusal("target", client_id, refused.reason)
        most = self.limits.clients
        if len(self.clients) + len(self._claims) >= most and client_id not in self.clients:
            raise self.refusal("clients", client_id, f"the server is full: {most} clients (limit: clients)")
        self._claims[client_id] = register
        return self.clients.get(client_id)

    def refusal(self, rule: str, client_id: str, reason: str) -> RegistrationRefused:
        """What to raise for a registration that this rule forbids; it is counted."""
        self.tally.refused[rule] += 1
        return RegistrationRefused(client_id, reason)

    def release(self, register: Register) -> None:
        """Give up a claim, if it was not confirmed. (By now the id may be somebody else's claim.)"""
        if self._claims.get(register.client_id) is register:
            del self._claims[register.client_id]

    def confirm(self, client: Client) -> None:
        """The newcomer is in."""
        self.release(client.register)
        self.clients[client.id] = client
        self._sessions[client.session] = client

    def forget_session(self, session: ActorRef) -> Client | None:
        """The connection with this session has gone: whose it was, or None where that was forgotten before.

        A client that a newcomer has replaced is forgotten without touching the newcomer.
        """
        client = self._sessions.pop(session, None)
        if client is not None and self.clients.get(client.id) is client:
            del self.clients[client.id]
        return client

    def device(self, device_id: str) -> Client | None:
        """The device with this id, if it is connected."""
        client = self.clients.get(device_id)
        return client if client is not None and client.is_device else None

    def order(self, asker: Client, message: AskForTask, session_id: str) -> TaskOrder:
        """Accept a task, until `close`. Raises TaskRefused."""
        if self.closing:
            raise TaskRefused(session_id, "server_stopping")
        device = self._assigned(asker, message, session_id)
        if len(session_id) > LONGEST_ID:
            reason = f"session_id has {len(session_id)} characters: give at most {LONGEST_ID}"
            raise self._refused("task", session_id[:LONGEST_ID], reason)
        if session_id in self.orders:
            raise self._refused("task", session_id, "a task with this session_id is running: use another one")
        limits = self.limits
        if asker.tasks >= limits.tasks_per_client:
            raise self._refused(
                "tasks_per_client",
                session_id,
                f"{asker.tasks} tasks of this client are running (limit: tasks_per_client):"
                " wait for one to end",
            )
        if device.sessions >= limits.sessions_per_device:
            raise self._refused(
                "sessions_per_device",
                session_id,
                f"{device.sessions} tasks run on device {device.id!r} (limit: sessions_per_device):"
                " wait for one to end",
            )
        order = TaskOrder(
            session_id=session_id,
            request=message.request or "",
            task_name=message.task_name or "",
            metadata=message.metadata or {},
            device=device,
            asker=asker,
            request_id=message.request_id,
        )
        self.orders[session_id] = order
        asker.tasks += 1
        device.sessions += 1
        return order

    def _assigned(self, asker: Client, message: AskForTask, session_id: str) -> Client:
        """The device that a task is for. Raises TaskRefused."""
        if asker.is_device:
            return asker
        target = message.target_id or asker.register.target_id
        if target is None:
            raise self._refused("task", session_id, "no target_id: name the device that is to do it")
        device = self.device(target)
        if device is None:
            raise self._refused("task", session_id, f"device {target!r} is not connected")
        return device

    def _refused(self, rule: str, session_id: str, reason: str) -> TaskRefused:
        self.tally.refused[rule] += 1
        return TaskRefused(session_id, reason)

    def close(self, order: TaskOrder) -> None:
        """That task has ended."""
        if self.orders.get(order.session_id) is order:
            del self.orders[order.session_id]
            order.asker.tasks -= 1
            order.device.sessions -= 1
            order.ended.set()

    def sessions_of(self, client_id: str) -> list[str]:
        """The running sessions of a device, or those that a constellation asked for."""
        return [
            session_id
            for session_id, order in self.orders.items()
            if client_id in (order.device.id, order.asker.id)
        ]
