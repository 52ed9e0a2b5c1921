"""The outbox: what waits for a connection, in which order it goes, and what is dropped."""

from typing import Any

import trio

from aip_trio.actors import ActorRef, open_system
from aip_trio.endpoints.connection import ClientLine, LineDown, LineUp, Outbox, Send
from aip_trio.messages import (
    ClientMessage,
    ClientType,
    Codec,
    CommandResults,
    ReportDeviceInfo,
    Result,
    ResultStatus,
)
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import MemoryTransport
from tests.endpoints.memory import MemoryWire, virtual
from tests.endpoints.peer import Peer


def connection() -> tuple[ClientLine, Peer]:
    """A way out for messages of a kilobyte at most, and who is at its end."""
    here, there = MemoryTransport.pair()
    protocol = AIPProtocol(here, codec=Codec(ClientMessage, max_size=1024))
    return ClientLine(protocol, "dev-1", ClientType.DEVICE), Peer(MemoryWire(there))


def results(session_id: str, *values: object) -> CommandResults:
    """Successes with these values."""
    made = [Result(status=ResultStatus.SUCCESS, result=v, call_id=str(n)) for n, v in enumerate(values)]
    return CommandResults(made, session_id, "r1")


def dropped(outbox: ActorRef) -> int:
    """How many messages it has dropped."""
    actor: Any = outbox._cell.actor
    return int(actor.dropped)


@virtual
async def test_with_a_connection_messages_go_out_in_order() -> None:
    async with open_system() as system:
        outbox = await system.spawn(Outbox)
        line, server = connection()
        await outbox.tell(LineUp(line))
        for number in range(5):
            await outbox.tell(Send(results(str(number), number)))
        for number in range(5):
            frame = await server.receive("command_results")
            assert (frame["session_id"], frame["client_id"]) == (str(number), "dev-1")
            assert frame["timestamp"]


@virtual
async def test_without_one_what_belongs_to_a_session_is_dropped_and_what_lasts_is_kept() -> None:
    async with open_system() as system:
        outbox = await system.spawn(Outbox)
        for number in range(300):
            await outbox.tell(Send(results("s1", number)))
            await outbox.tell(Send(ReportDeviceInfo({"n": number}), lasting=True))
        line, server = connection()
        await outbox.tell(LineUp(line))
        await outbox.tell(Send(ReportDeviceInfo({"n": "last"})))
        kept: list[object] = []
        while not kept or kept[-1] != "last":
            kept.append((await server.receive("device_info_response"))["metadata"]["n"])
        assert kept == [*range(300 - 256, 300), "last"]
        assert dropped(outbox) == 300 + 300 - 256


@virtual
async def test_the_end_of_an_earlier_connection_does_not_take_a_later_one() -> None:
    async with open_system() as system:
        outbox = await system.spawn(Outbox)
        (first, _), (second, server) = connection(), connection()
        await outbox.tell(LineUp(first))
        await outbox.tell(LineUp(second))
        await outbox.tell(LineDown(first))
        await outbox.tell(Send(results("s1", 1)))
        assert (await server.receive("command_results"))["session_id"] == "s1"
        await outbox.tell(LineDown(second))
        await outbox.tell(Send(results("s1", 1)))
        await trio.testing.wait_all_tasks_blocked()
        assert dropped(outbox) == 1


@virtual
async def test_a_connection_that_has_gone_unnoticed_swallows_messages_and_nothing_crashes() -> None:
    async with open_system() as system:
        outbox = await system.spawn(Outbox)
        line, server = connection()
        await outbox.tell(LineUp(line))
        await server.cut()
        await outbox.tell(Send(results("s1", 1)))
        await trio.testing.wait_all_tasks_blocked()
        assert outbox._cell.restarts == 0


@virtual
async def test_what_cannot_be_sent_is_said_so() -> None:
    async with open_system() as system:
        outbox = await system.spawn(Outbox)
        line, server = connection()
        await outbox.tell(LineUp(line))
        await outbox.tell(Send(results("s1", 1, object(), 3)))
        frame = await server.receive("command_results")
        assert [each["status"] for each in frame["action_results"]] == ["success", "failure", "success"]
        assert "cannot be sent" in frame["action_results"][1]["error"]
        await outbox.tell(Send(ReportDeviceInfo({"handle": object()})))
        assert "cannot be sent" in await server.refused()
        await outbox.tell(Send(results("s2", "x" * 600, "x" * 600)))  # each by itself would do
        frame = await server.receive("command_results")
        assert [each["status"] for each in frame["action_results"]] == ["failure", "failure"]
        assert outbox._cell.restarts == 0
