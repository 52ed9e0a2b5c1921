"""REGISTRATION_MACHINE, walked beside the real objects at both ends of a connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import AipError, IllegalTransition, UnexpectedMessage
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
    REGISTRATION_MACHINE,
    AIPProtocol,
    RegistrationEvent,
    RegistrationProtocol,
    RegistrationState,
)
from aip_trio.testing import async_machine_test
from aip_trio.transport import MemoryTransport
from tests.actors.model._settings import examples
from tests.protocol.near import REFUSALS, Near, NoCause, opener

_OK, _ERROR, _GO_ON = TaskStatus.OK, TaskStatus.ERROR, TaskStatus.CONTINUE
_COMMAND = Command(tool_name="look", tool_type=ToolType.ACTION)
_RESULT = Result(status=ResultStatus.SUCCESS)


class Registering(Near[RegistrationProtocol, RegistrationState, RegistrationEvent]):
    """The server's end."""

    @property
    def state(self) -> RegistrationState:
        return self.near.state

    async def _register(self) -> None:
        await self.pass_on(ClientMessage(type=ClientMessageType.REGISTER, status=_OK, client_id="dev"))

    async def _accept(self) -> None:
        await self.near.send_registration_confirmation()

    async def _refuse(self) -> None:
        await self.near.send_registration_error("planted")

    async def _fail(self) -> None:
        """Nobody knows whether the answer got through."""
        with trio.CancelScope() as scope:
            scope.cancel()
            await self.near.send_registration_confirmation()


class RegisteringClient(Near[RegistrationProtocol, RegistrationState, RegistrationEvent]):
    """The client's end, whose call waits for the answer."""

    nursery: trio.Nursery
    outcome: list[object]

    @property
    def state(self) -> RegistrationState:
        return self.near.state

    async def _register(self) -> None:
        outcome: list[object] = []

        async def register() -> None:
            try:
                outcome.append(await self.near.register_as_device("dev"))
            except AipError as error:
                outcome.append(error)

        self.nursery.start_soon(register)
        await wait_all_tasks_blocked()
        if outcome and isinstance(outcome[0], IllegalTransition):
            raise outcome[0]
        self.outcome = outcome

    async def _accept(self) -> None:
        await self._answer(RegistrationState.REQUESTED)
        await self.far.send_ack()
        assert await self._returned() is True

    async def _refuse(self) -> None:
        await self._answer(RegistrationState.REQUESTED, RegistrationState.UNREGISTERED)
        asked = self.state is RegistrationState.REQUESTED
        await self.far.send_error("planted")
        if not asked:
            await self.near.receive_message()
            return
        assert await self._returned() is False
        assert self.near.refusal == "planted"

    async def _fail(self) -> None:
        await self._answer(RegistrationState.REQUESTED)
        await self.far.send_message(ServerMessage(type=ServerMessageType.TASK, status=_GO_ON))
        assert isinstance(await self._returned(), UnexpectedMessage)

    async def _answer(self, *states: RegistrationState) -> None:
        await trio.lowlevel.checkpoint()
        if self.state not in states:
            raise NoCause

    async def _returned(self) -> object:
        await wait_all_tasks_blocked()
        return self.outcome[0]


@asynccontextmanager
async def open_registering_client() -> AsyncGenerator[RegisteringClient]:
    client, server = MemoryTransport.pair()
    async with trio.open_nursery() as nursery:
        real = RegisteringClient(RegistrationProtocol(client), AIPProtocol(server), serves=False)
        real.nursery = nursery
        yield real
        nursery.cancel_scope.cancel()


TestRegistrationServed = async_machine_test(
    REGISTRATION_MACHINE,
    opener(Registering, RegistrationProtocol, serves=True),
    refusals=REFUSALS,
    settings=examples(25),
)
TestRegistrationAsked = async_machine_test(
    REGISTRATION_MACHINE, open_registering_client, refusals=REFUSALS, settings=examples(25)
)
