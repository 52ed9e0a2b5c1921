"""AIPProtocol: messages, middleware, handlers."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
import trio

from aip_trio.actors import RealEnvironment, open_system
from aip_trio.errors import (
    DecodeError,
    EncodeError,
    InvalidSpec,
    NoHandler,
    TransportError,
)
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Codec,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol import AIPProtocol, timestamp
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport

TASK = ClientMessage(
    type=ClientMessageType.TASK, status=TaskStatus.CONTINUE, session_id="s", request="go", client_id="orch"
)
OFFER = ServerMessage(type=ServerMessageType.TASK, status=TaskStatus.CONTINUE, user_request="go")


def protocols() -> tuple[AIPProtocol, AIPProtocol]:
    client, server = MemoryTransport.pair()
    return AIPProtocol(client), AIPProtocol(server)


@pytest.mark.trio
async def test_what_is_sent_is_received() -> None:
    client, server = protocols()
    await client.send_message(TASK)
    assert await server.receive_message(ClientMessage) == TASK
    await server.send_message(OFFER)
    assert await client.receive_message() == OFFER


@pytest.mark.trio
async def test_a_frame_that_is_no_message_is_an_error_and_the_next_one_is_received() -> None:
    client, server = protocols()
    for junk in (b"{", b"[]", b'{"type":"bogus","status":"ok"}', b"\xff\xfe", b""):
        await client.transport.send(junk)
    await client.send_message(TASK)
    for _ in range(5):
        with pytest.raises(DecodeError, match="ClientMessage"):
            await server.receive_message(ClientMessage)
    assert await server.receive_message(ClientMessage) == TASK


@pytest.mark.trio
async def test_what_has_no_form_on_the_wire_is_refused_and_nothing_is_sent() -> None:
    client, server = protocols()
    with pytest.raises(EncodeError):
        await client.send_message(attrs.evolve(TASK, metadata={"thing": object()}))
    await client.send_message(TASK)
    assert await server.receive_message(ClientMessage) == TASK


@pytest.mark.trio
async def test_the_connections_end_is_a_connection_error_for_both() -> None:
    client, server = protocols()
    assert client.is_connected()
    await client.close()
    assert not client.is_connected()
    with pytest.raises(TransportError):
        await server.receive_message(ClientMessage)
    with pytest.raises(ConnectionError):
        await server.send_message(OFFER)


@pytest.mark.trio
async def test_a_codec_of_ones_own_carries_other_classes() -> None:
    @attrs.frozen(kw_only=True)
    class Note(WireModel):
        text: str

    one, other = MemoryTransport.pair()
    codec = Codec(Note)
    await AIPProtocol(one, codec=codec).send_message(Note(text="hello"))
    assert await AIPProtocol(other, codec=codec).receive_message(Note) == Note(text="hello")


# -- what every server says


@pytest.mark.trio
async def test_errors_and_acks_bear_a_new_id_where_none_is_given() -> None:
    client, server = protocols()
    await server.send_error("no such thing")
    await server.send_error("nor this", "r1")
    await server.send_ack()
    await server.send_ack("s", "r2")
    error, error2, ack, ack2 = [await client.receive_message() for _ in range(4)]
    assert (error.type, error.status, error.error) == ("error", "error", "no such thing")
    assert (ack.type, ack.status, ack.session_id) == ("heartbeat", "ok", None)
    assert error.response_id
    assert ack.response_id
    assert error.response_id != ack.response_id
    assert error2.response_id == "r1"
    assert (ack2.session_id, ack2.response_id) == ("s", "r2")


class Frozen(RealEnvironment):
    """Where it is always the same time, in a zone of its own."""

    def __init__(self, hours: int) -> None:
        super().__init__()
        self.zone = timezone(timedelta(hours=hours)) if hours else UTC

    def now(self) -> datetime:
        return datetime(2024, 11, 4, 10, 30, 0, 125999, tzinfo=UTC).astimezone(self.zone)

    def new_id(self) -> str:
        return "id"


class OnTheSecond(RealEnvironment):
    def now(self) -> datetime:
        return datetime(2024, 11, 4, 10, 30, tzinfo=UTC)


@pytest.mark.trio
async def test_a_time_on_the_second_has_its_milliseconds_too() -> None:
    async with open_system(environment=OnTheSecond()):
        assert timestamp() == "2024-11-04T10:30:00.000Z"


@pytest.mark.trio
@pytest.mark.parametrize("hours", [0, 2, -7])
async def test_time_and_ids_come_from_the_systems_environment(hours: int) -> None:
    client, server = protocols()
    async with open_system(environment=Frozen(hours)):
        assert timestamp() == "2024-11-04T10:30:00.125Z"
        await server.send_ack()
    ack = await client.receive_message()
    assert ack.timestamp == "2024-11-04T10:30:00.125Z"
    assert ack.response_id == "id"
    assert datetime.fromisoformat(timestamp()).tzinfo is not None  # outside: the real time


# -- handlers


@pytest.mark.trio
async def test_handlers_of_a_type_are_called_in_order() -> None:
    _, server = protocols()
    called: list[tuple[str, WireModel]] = []

    def handler(name: str) -> Callable[[WireModel], Awaitable[None]]:
        async def handle(msg: WireModel) -> None:
            await trio.lowlevel.checkpoint()
            called.append((name, msg))

        return handle

    server.register_handler("task", handler("first"))
    server.register_handler(ClientMessageType.TASK, handler("second"))
    server.register_handler("heartbeat", handler("other"))
    await server.dispatch_message(TASK)
    assert called == [("first", TASK), ("second", TASK)]


@pytest.mark.trio
async def test_a_message_without_a_handler_is_an_error_that_names_it() -> None:
    _, server = protocols()
    with pytest.raises(NoHandler, match="'task'; handled here: none"):
        await server.dispatch_message(TASK)
    server.register_handler("heartbeat", server.dispatch_message)
    with pytest.raises(LookupError, match="handled here: heartbeat"):
        await server.dispatch_message(TASK)


def test_a_type_that_no_message_has_cannot_be_handled() -> None:
    server = AIPProtocol(MemoryTransport())
    with pytest.raises(InvalidSpec, match="'taks'"):
        server.register_handler("taks", server.dispatch_message)


@pytest.mark.trio
async def test_what_a_handler_raises_reaches_who_dispatches() -> None:
    _, server = protocols()

    async def failing(msg: WireModel) -> None:
        await trio.lowlevel.checkpoint()
        raise KeyError("planted")

    server.register_handler("task", failing)
    with pytest.raises(KeyError, match="planted"):
        await server.dispatch_message(TASK)


# -- cancellation


def test_dispatch_and_close_can_be_cancelled_anywhere() -> None:
    async def dispatching(point: CancelPoint) -> None:
        _, server = protocols()
        done: list[WireModel] = []

        async def handler(msg: WireModel) -> None:
            await trio.lowlevel.checkpoint()
            done.append(msg)

        server.register_handler("task", handler)
        server.register_handler("task", handler)
        with point:
            await server.dispatch_message(TASK)
        assert len(done) == 2 or point.cancelled

    async def closing(point: CancelPoint) -> None:
        client, _ = protocols()
        with point:
            await client.close()
        await client.close()
        assert not client.is_connected()

    assert cancel_at_every_checkpoint(dispatching) == 3
    assert cancel_at_every_checkpoint(closing) >= 1
