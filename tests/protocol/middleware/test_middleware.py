"""Middleware: its order, its mistakes, and what a cancellation in it leaves behind."""

import logging

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import (
    DecodeError,
    InvalidMessage,
)
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol import AIPProtocol, LoggingMiddleware, ProtocolMiddleware
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport

TASK = ClientMessage(
    type=ClientMessageType.TASK, status=TaskStatus.CONTINUE, session_id="s", request="go", client_id="orch"
)
OFFER = ServerMessage(type=ServerMessageType.TASK, status=TaskStatus.CONTINUE, user_request="go")


class Stamp(ProtocolMiddleware):
    """Writes its name into what goes out, and behind what comes in."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        await trio.lowlevel.checkpoint()
        assert isinstance(msg, ClientMessage)
        return attrs.evolve(msg, request=f"{msg.request} >{self.name}")

    async def process_incoming(self, msg: WireModel) -> WireModel:
        await trio.lowlevel.checkpoint()
        assert isinstance(msg, ClientMessage)
        return attrs.evolve(msg, request=f"{msg.request} <{self.name}")


def protocols() -> tuple[AIPProtocol, AIPProtocol]:
    client, server = MemoryTransport.pair()
    return AIPProtocol(client), AIPProtocol(server)


@pytest.mark.trio
async def test_middleware_is_passed_in_order_going_out_and_in_reverse_coming_in() -> None:
    client, server = protocols()
    for name in "ab":
        client.add_middleware(Stamp(name))
    for name in "xy":
        server.add_middleware(Stamp(name))
    await client.send_message(TASK)
    received = await server.receive_message(ClientMessage)
    assert received.request == "go >a >b <y <x"


@pytest.mark.trio
async def test_pack_and_unpack_do_the_same_for_who_owns_the_transport() -> None:
    client, server = protocols()
    data = await client.pack(TASK)
    assert await server.unpack(data, ClientMessage) == TASK
    client.add_middleware(Stamp("a"))
    server.add_middleware(Stamp("x"))
    data = await client.pack(TASK)
    assert (await server.unpack(data, ClientMessage)).request == "go >a <x"
    with pytest.raises(DecodeError):
        await server.unpack(b"{}", ClientMessage)


class Broken(ProtocolMiddleware):
    """Gives back what it should not."""

    def __init__(self, result: object) -> None:
        self.result = result

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        await trio.lowlevel.checkpoint()
        return self.result  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    async def process_incoming(self, msg: WireModel) -> WireModel:
        await trio.lowlevel.checkpoint()
        return self.result  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


@pytest.mark.trio
@pytest.mark.parametrize("result", [None, OFFER, b"{}"])
async def test_middleware_that_gives_back_something_else_is_named(result: object) -> None:
    client, server = protocols()
    client.add_middleware(Broken(result))
    with pytest.raises(InvalidMessage, match="Broken for a ClientMessage"):
        await client.send_message(TASK)
    await client.transport.send(await AIPProtocol(client.transport).pack(TASK))
    server.add_middleware(Broken(result))
    with pytest.raises(InvalidMessage, match="Broken for a ClientMessage"):
        await server.receive_message(ClientMessage)


@pytest.mark.trio
async def test_a_message_that_middleware_fails_on_is_gone_and_the_next_one_comes() -> None:
    class Once(Stamp):
        failed = False

        async def process_incoming(self, msg: WireModel) -> WireModel:
            await trio.lowlevel.checkpoint()
            if not self.failed:
                self.failed = True
                raise KeyError("planted")
            return msg

    client, server = protocols()
    server.add_middleware(Once("x"))
    await client.send_message(TASK)
    await client.send_message(attrs.evolve(TASK, request="next"))
    with pytest.raises(KeyError, match="planted"):
        await server.receive_message(ClientMessage)
    assert (await server.receive_message(ClientMessage)).request == "next"


@pytest.mark.trio
async def test_logging_tells_which_messages_passed_and_nothing_of_what_they_say(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, server = protocols()
    for end in (client, server):
        end.add_middleware(LoggingMiddleware(logging.INFO))
    with caplog.at_level(logging.INFO, "aip_trio.protocol"):
        await client.send_message(attrs.evolve(TASK, request="the secret", metadata={"token": "secret"}))
        await server.receive_message(ClientMessage)
    texts = [record.getMessage() for record in caplog.records]
    assert texts == [f"{way} task status='continue' client_id='orch' session_id='s'" for way in ("out", "in")]
    assert vars(caplog.records[0])["message_type"] == "task"
    assert "secret" not in str([vars(record) for record in caplog.records])


@pytest.mark.trio
async def test_logging_says_nothing_below_its_level(caplog: pytest.LogCaptureFixture) -> None:
    client, _ = protocols()
    client.add_middleware(LoggingMiddleware())
    with caplog.at_level(logging.INFO, "aip_trio.protocol"):
        await client.send_message(TASK)
    assert not caplog.records


@pytest.mark.parametrize("stamps", [0, 2])
def test_a_cancelled_receive_loses_nothing(stamps: int) -> None:
    async def scenario(point: CancelPoint) -> None:
        client, server = protocols()
        for name in "xy"[:stamps]:
            server.add_middleware(Stamp(name))
        received: list[str | None] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send_message, TASK)
            nursery.start_soon(client.send_message, attrs.evolve(TASK, request="next"))
            with point:
                received.append((await server.receive_message(ClientMessage)).request)
        while len(received) < 2:
            received.append((await server.receive_message(ClientMessage)).request)
        behind = " <y <x" if stamps else ""
        assert sorted(map(str, received)) == [f"go{behind}", f"next{behind}"]

    assert cancel_at_every_checkpoint(scenario) >= 1 + stamps


@pytest.mark.trio
async def test_what_a_cancelled_receive_left_is_of_the_class_that_the_next_one_asks_for() -> None:
    class Slow(LoggingMiddleware):
        async def process_incoming(self, msg: WireModel) -> WireModel:
            if isinstance(msg, ServerMessage):
                await trio.sleep_forever()
            return msg

    client, server = protocols()
    client.add_middleware(Slow())
    await server.send_message(OFFER)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.receive_message)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    message = await client.receive_message(ClientMessage)
    assert isinstance(message, ClientMessage)
    assert message.type is ClientMessageType.TASK


@pytest.mark.parametrize("stamps", [0, 2])
def test_a_cancelled_send_sends_all_or_nothing(stamps: int) -> None:
    async def scenario(point: CancelPoint) -> None:
        client, server = protocols()
        for name in "ab"[:stamps]:
            client.add_middleware(Stamp(name))
        with point:
            await client.send_message(TASK)
        await client.send_message(attrs.evolve(TASK, request="next"))
        await wait_all_tasks_blocked()
        first = await server.receive_message(ClientMessage)
        before = " >a >b" if stamps else ""
        assert first.request in (f"go{before}", f"next{before}")
        if not point.cancelled:
            assert first.request == f"go{before}"

    assert cancel_at_every_checkpoint(scenario) >= 1 + stamps
