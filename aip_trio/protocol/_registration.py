"""Registering at a server, and answering who registers: wire/aip.md 1."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from aip_trio.errors import InvalidSpec, UnexpectedMessage
from aip_trio.machine import Machine
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ClientType,
    Codec,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol._admission import id_fault
from aip_trio.protocol._conversations import NO_STEP, Step
from aip_trio.protocol._kind import kind_of
from aip_trio.protocol._protocol import AIPProtocol
from aip_trio.protocol._timestamp import timestamp
from aip_trio.transport import Transport

__all__ = ["REGISTRATION_MACHINE", "RegistrationEvent", "RegistrationProtocol", "RegistrationState"]


class RegistrationState(Enum):
    """Where a connection stands before it is anybody's."""

    UNREGISTERED = "unregistered"
    REQUESTED = "requested"
    REGISTERED = "registered"
    REFUSED = "refused"
    FAILED = "failed"  #: cut off, or answered with something else


class RegistrationEvent(Enum):
    """What happens to a registration."""

    REGISTER = "register"
    ACCEPT = "accept"
    REFUSE = "refuse"
    FAIL = "fail"


REGISTRATION_MACHINE = Machine(
    "registration",
    initial=RegistrationState.UNREGISTERED,
    terminal=frozenset({RegistrationState.REGISTERED, RegistrationState.REFUSED, RegistrationState.FAILED}),
    table={
        RegistrationState.UNREGISTERED: {
            RegistrationEvent.REGISTER: RegistrationState.REQUESTED,
            RegistrationEvent.REFUSE: RegistrationState.REFUSED,
        },
        RegistrationState.REQUESTED: {
            RegistrationEvent.ACCEPT: RegistrationState.REGISTERED,
            RegistrationEvent.REFUSE: RegistrationState.REFUSED,
            RegistrationEvent.FAIL: RegistrationState.FAILED,
        },
    },
)


class RegistrationProtocol(AIPProtocol):
    """Registers a client, or answers one at the server: one registration per connection, and so per object.

    Keeps to `REGISTRATION_MACHINE`.
    """

    def __init__(self, transport: Transport, *, codec: Codec | None = None) -> None:
        super().__init__(transport, codec=codec)
        #: why the server refused, once it has
        self.refusal: str | None = None
        self._state = REGISTRATION_MACHINE.initial

    @property
    def state(self) -> RegistrationState:
        """Where the registration stands."""
        return self._state

    # The client's side

    async def register_as_device(
        self, device_id: str, metadata: Mapping[str, Any] | None = None, platform: str = "windows"
    ) -> bool:
        """Register as a device, and wait for the answer. A checkpoint.

        ``platform`` and the time of registration are added to the metadata that is sent, the platform
        where it names none.

        :returns: True, or False where the server refused: `refusal` is why
        :raises InvalidSpec: device_id cannot be an id
        :raises UnexpectedMessage: the answer is neither
        :raises DecodeError: the answer is no message
        :raises IllegalTransition: something was registered here already
        :raises ConnectionError: the connection broke first
        """
        return await self._register(
            device_id,
            ClientType.DEVICE,
            {"platform": platform, **(metadata or {}), "registration_time": timestamp()},
        )

    async def register_as_constellation(
        self, constellation_id: str, target_device: str | None, metadata: Mapping[str, Any] | None = None
    ) -> bool:
        """Register as a constellation that will address this device; None: any. A checkpoint.

        Returns and raises as `register_as_device`.
        """
        named = {"type": "constellation_client", "targeted_device_id": target_device or None}
        return await self._register(
            constellation_id,
            ClientType.CONSTELLATION,
            {**(metadata or {}), **named, "registration_time": timestamp()},
            target_device or None,
        )

    async def _register(
        self, client_id: str, client_type: ClientType, metadata: dict[str, Any], target_id: str | None = None
    ) -> bool:
        fault = id_fault(client_id)
        if fault is not None:
            raise InvalidSpec("client_id", client_id, fault)
        await self.send_message(
            ClientMessage(
                type=ClientMessageType.REGISTER,
                status=TaskStatus.OK,
                client_type=client_type,
                client_id=client_id,
                target_id=target_id,
                timestamp=timestamp(),
                metadata=metadata,
            )
        )
        try:
            answer = await self.receive_message()
        finally:
            # Whatever comes now would not be known for the answer.
            if self._state is RegistrationState.REQUESTED:
                self._fire(RegistrationEvent.FAIL)
        if self._state is RegistrationState.FAILED:
            raise UnexpectedMessage("the answer to a registration", kind_of(answer))
        if self._state is RegistrationState.REFUSED:
            self.refusal = answer.error or "no reason given"
        return self._state is RegistrationState.REGISTERED

    # The server's side

    async def send_registration_confirmation(self, response_id: str | None = None) -> None:
        """Accept: a server heartbeat with status ok. A checkpoint.

        :raises IllegalTransition: it is answered already, or nobody has registered here
        """
        step = self._join()
        try:
            await self.send_ack(response_id=response_id)
        except Exception:
            step.undo()
            raise

    async def send_registration_error(self, error: str, response_id: str | None = None) -> None:
        """Refuse; closing the connection is the caller's. A checkpoint.

        :raises IllegalTransition: it is answered already
        """
        if not REGISTRATION_MACHINE.table[self._state]:
            REGISTRATION_MACHINE.next(self._state, RegistrationEvent.REFUSE)
        await self.send_error(error, response_id)

    def _join(self) -> Step:
        """Before it is accepted: the registration may have been read through another object."""
        if self._state is RegistrationState.UNREGISTERED and not self._has_received:
            return self._fire(RegistrationEvent.REGISTER)
        REGISTRATION_MACHINE.next(self._state, RegistrationEvent.ACCEPT)
        return NO_STEP

    # The machine

    def _advance(self, message: WireModel, *, sending: bool) -> Step:
        event = self._event(message, sending)
        return NO_STEP if event is None else self._fire(event)

    def _event(self, message: WireModel, sending: bool) -> RegistrationEvent | None:
        if isinstance(message, ClientMessage):
            return RegistrationEvent.REGISTER if message.type is ClientMessageType.REGISTER else None
        open_ = bool(REGISTRATION_MACHINE.table[self._state])
        if not isinstance(message, ServerMessage) or not open_:
            return None
        if message.type is ServerMessageType.ERROR:
            return RegistrationEvent.REFUSE
        if self._state is RegistrationState.UNREGISTERED:
            return None
        if message.type is ServerMessageType.HEARTBEAT and message.status is TaskStatus.OK:
            return RegistrationEvent.ACCEPT
        return None if sending else RegistrationEvent.FAIL

    def _fire(self, event: RegistrationEvent) -> Step:
        before, self._state = self._state, REGISTRATION_MACHINE.next(self._state, event)
        return _Fired(self, before)


class _Fired(Step):
    """A step of a registration."""

    __slots__ = ("_before", "_protocol")

    def __init__(self, protocol: RegistrationProtocol, before: RegistrationState) -> None:
        self._protocol = protocol
        self._before = before

    def undo(self) -> None:
        self._protocol._state = self._before

    def forget(self) -> None:
        self._protocol._state = RegistrationState.FAILED
