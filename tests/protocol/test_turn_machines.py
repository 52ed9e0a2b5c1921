"""The machines of commands, device info and heartbeats, walked beside the real objects at both ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import trio

from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Command,
    Result,
    ResultStatus,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    ToolType,
)
from aip_trio.protocol import (
    COMMAND_MACHINE,
    DEVICE_INFO_MACHINE,
    HEARTBEAT_MACHINE,
    CommandEvent,
    CommandProtocol,
    CommandState,
    DeviceInfoEvent,
    DeviceInfoProtocol,
    DeviceInfoState,
    HeartbeatEvent,
    HeartbeatProtocol,
    HeartbeatState,
)
from aip_trio.testing import async_machine_test
from tests.actors.model._settings import examples
from tests.protocol.near import REFUSALS, Near, NoCause, opener

_OK, _ERROR, _GO_ON = TaskStatus.OK, TaskStatus.ERROR, TaskStatus.CONTINUE
_COMMAND = Command(tool_name="look", tool_type=ToolType.ACTION)
_RESULT = Result(status=ResultStatus.SUCCESS)


class Commanding(Near[CommandProtocol, CommandState, CommandEvent]):
    """Either end of a session's turns."""

    @property
    def state(self) -> CommandState:
        return self.near.command_state("s")

    async def greet(self) -> None:
        """A first turn: results of a session that it has not seen, it would take."""
        await super().greet()
        await self._command()
        await self._results()

    async def _command(self) -> None:
        await self.pass_on(
            ServerMessage(type=ServerMessageType.COMMAND, status=_GO_ON, session_id="s", actions=[_COMMAND])
        )

    async def _results(self) -> None:
        await self.pass_on(
            ClientMessage(
                type=ClientMessageType.COMMAND_RESULTS,
                status=_GO_ON,
                session_id="s",
                action_results=[_RESULT],
            )
        )

    async def _end(self) -> None:
        await self.pass_on(ServerMessage(type=ServerMessageType.TASK_END, status=_OK, session_id="s"))


class Ending(Commanding):
    """The device ends it."""

    async def _end(self) -> None:
        await self.pass_on(ClientMessage(type=ClientMessageType.TASK_END, status=_ERROR, session_id="s"))


TestCommandServed = async_machine_test(
    COMMAND_MACHINE,
    opener(Commanding, CommandProtocol, serves=True),
    refusals=REFUSALS,
    settings=examples(20),
)
TestCommandDone = async_machine_test(
    COMMAND_MACHINE, opener(Ending, CommandProtocol, serves=False), refusals=REFUSALS, settings=examples(20)
)


class Asking(Near[DeviceInfoProtocol, DeviceInfoState, DeviceInfoEvent]):
    """A constellation's question, at either end."""

    @property
    def state(self) -> DeviceInfoState:
        state = self.near.question_state("q")
        assert state is not None
        return state

    async def greet(self) -> None:
        await super().greet()
        await self._ask()

    async def _ask(self) -> None:
        message = ClientMessage(
            type=ClientMessageType.DEVICE_INFO_REQUEST, status=_OK, target_id="dev", request_id="q"
        )
        await self.pass_on(message, lambda: self.near.request_device_info("orch", "dev", "q"))

    async def _answer(self) -> None:
        await self._respond({"os": "linux"}, None)

    async def _fail(self) -> None:
        await self._respond(None, "planted")

    async def _respond(self, info: dict[str, str] | None, error: str | None) -> None:
        message = ServerMessage(
            type=ServerMessageType.DEVICE_INFO_RESPONSE,
            status=_OK if error is None else _ERROR,
            response_id="q",
            result=info,
            error=error,
        )
        await self.pass_on(message, lambda: self.near.send_device_info_response(info, "q", error))


class BeingAsked(Asking):
    """The server's question to a device, at either end."""

    async def _ask(self) -> None:
        await self.pass_on(
            ServerMessage(type=ServerMessageType.DEVICE_INFO_REQUEST, status=_OK, response_id="q")
        )

    async def _respond(self, info: dict[str, str] | None, error: str | None) -> None:
        await self.pass_on(
            ClientMessage(
                type=ClientMessageType.DEVICE_INFO_RESPONSE,
                status=_OK if error is None else _ERROR,
                request_id="q",
                metadata=info,
                error=error,
            )
        )


TestInfoAsked, TestInfoAnswered, TestDeviceAsked, TestDeviceAnswers = (
    async_machine_test(
        DEVICE_INFO_MACHINE,
        opener(subject, DeviceInfoProtocol, serves=serves),
        refusals=REFUSALS,
        settings=examples(20),
    )
    for subject, serves in ((Asking, False), (Asking, True), (BeingAsked, True), (BeingAsked, False))
)

_INTERVAL = 10.0


class Beating(Near[HeartbeatProtocol, HeartbeatState, HeartbeatEvent]):
    """The client's end."""

    @property
    def state(self) -> HeartbeatState:
        return self.near.state

    async def greet(self) -> None:
        self.silent_since = trio.current_time()

    async def _start(self) -> None:
        if self.state is not HeartbeatState.IDLE:
            raise NoCause  # would begin anew, at another interval
        await self.near.start_heartbeat("dev", _INTERVAL)
        self.silent_since = trio.current_time()

    async def _heard(self) -> None:
        await self.far.send_ack()
        await self.near.receive_message()
        self.silent_since = trio.current_time()

    async def _miss(self) -> None:
        await self._wait(HeartbeatState.ALIVE, _INTERVAL)

    async def _lose(self) -> None:
        await self._wait(HeartbeatState.SUSPECT, 2 * _INTERVAL)

    async def _wait(self, before: HeartbeatState, seconds: float) -> None:
        if self.state is not before:
            raise NoCause
        await trio.sleep_until(self.silent_since + seconds)

    async def _stop(self) -> None:
        if self.state is HeartbeatState.IDLE:
            raise NoCause  # nothing to do
        await self.near.stop_heartbeat()


@asynccontextmanager
async def open_beating() -> AsyncGenerator[Beating]:
    async with trio.open_nursery() as nursery:
        near = partial(HeartbeatProtocol, nursery=nursery)
        async with opener(Beating, near, serves=False)() as real:
            assert isinstance(real, Beating)
            yield real
            await real.near.stop_heartbeat()


TestHeartbeat = async_machine_test(HEARTBEAT_MACHINE, open_beating, refusals=REFUSALS, settings=examples(25))
