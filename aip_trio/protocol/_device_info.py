"""Asking about a device, and answering: wire/aip.md 6."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

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
from aip_trio.protocol._conversations import NO_STEP, Conversations, Step
from aip_trio.protocol._protocol import AIPProtocol, or_new_id
from aip_trio.protocol._timestamp import timestamp
from aip_trio.transport import Transport

__all__ = ["DEVICE_INFO_MACHINE", "DeviceInfoEvent", "DeviceInfoProtocol", "DeviceInfoState"]


class DeviceInfoState(Enum):
    """Where a question about a device stands."""

    ASKED = "asked"
    ANSWERED = "answered"
    FAILED = "failed"


class DeviceInfoEvent(Enum):
    """What happens to a question about a device."""

    ASK = "ask"  #: once more, which is never legal: an id names one question
    ANSWER = "answer"
    FAIL = "fail"


DEVICE_INFO_MACHINE = Machine(
    "device info",
    initial=DeviceInfoState.ASKED,
    terminal=frozenset({DeviceInfoState.ANSWERED, DeviceInfoState.FAILED}),
    table={
        DeviceInfoState.ASKED: {
            DeviceInfoEvent.ANSWER: DeviceInfoState.ANSWERED,
            DeviceInfoEvent.FAIL: DeviceInfoState.FAILED,
        },
    },
)


class DeviceInfoProtocol(AIPProtocol):
    """Sends questions about devices, and what answers them.

    Keeps to `DEVICE_INFO_MACHINE` for each question, told by its id, that passes through it both ways: it
    is asked once and answered once. Every send is a checkpoint, and raises as `send_message` does.
    """

    def __init__(self, transport: Transport, *, codec: Codec | None = None) -> None:
        super().__init__(transport, codec=codec)
        self._questions = Conversations(DEVICE_INFO_MACHINE)

    def question_state(self, request_id: str) -> DeviceInfoState | None:
        """Where a question stands, or None where nothing of it has passed here."""
        return self._questions.state(request_id)

    async def request_device_info(
        self, constellation_id: str, target_device: str, request_id: str | None = None
    ) -> str:
        """Ask the server about a device.

        :returns: the question's id, which the answer bears as response_id; made where none is given
        """
        request_id = or_new_id(request_id)
        await self.send_message(
            ClientMessage(
                type=ClientMessageType.DEVICE_INFO_REQUEST,
                status=TaskStatus.OK,
                client_type=ClientType.CONSTELLATION,
                client_id=constellation_id,
                target_id=target_device,
                timestamp=timestamp(),
                request_id=request_id,
            )
        )
        return request_id

    async def send_device_info_response(
        self, device_info: Mapping[str, Any] | None, request_id: str | None, error: str | None = None
    ) -> None:
        """Answer as the server: what is known about the device, or with ``error`` why nothing is."""
        await self.send_message(
            ServerMessage(
                type=ServerMessageType.DEVICE_INFO_RESPONSE,
                status=TaskStatus.OK if error is None else TaskStatus.ERROR,
                error=error,
                timestamp=timestamp(),
                response_id=request_id,
                result=None if device_info is None else dict(device_info),
            )
        )

    async def send_device_info_push(self, device_id: str, device_info: Mapping[str, Any]) -> None:
        """Tell the server about oneself, unasked."""
        await self.send_message(
            ClientMessage(
                type=ClientMessageType.DEVICE_INFO_RESPONSE,
                status=TaskStatus.OK,
                client_id=device_id,
                timestamp=timestamp(),
                metadata=dict(device_info),
            )
        )

    def _advance(self, message: WireModel, *, sending: bool) -> Step:
        if isinstance(message, ClientMessage):
            key = message.request_id
        elif isinstance(message, ServerMessage):
            key = message.response_id
        else:
            return NO_STEP
        if key is None:  # a push
            return NO_STEP
        if message.type in _QUESTIONS:
            return self._ask(key)
        if message.type in _ANSWERS:
            failed = message.status in (TaskStatus.ERROR, TaskStatus.FAILED)
            event = DeviceInfoEvent.FAIL if failed else DeviceInfoEvent.ANSWER
            return self._questions.fire(key, event, joins=DeviceInfoState.ASKED, strict=self._strict)
        return NO_STEP

    def _ask(self, key: str) -> Step:
        state = self._questions.state(key)
        if state is not None and self._strict:
            DEVICE_INFO_MACHINE.next(state, DeviceInfoEvent.ASK)
        return self._questions.open(key)


# A server's types and a client's have the same values, and so are equal.
_QUESTIONS = frozenset({ClientMessageType.DEVICE_INFO_REQUEST, ServerMessageType.DEVICE_INFO_REQUEST})
_ANSWERS = frozenset({ClientMessageType.DEVICE_INFO_RESPONSE, ServerMessageType.DEVICE_INFO_RESPONSE})
