"""What middleware hears of, and what its failure is for a link."""

from collections.abc import Callable

import pytest
import trio

from aip_trio.errors import (
    ConnectionLost,
    DecodeError,
    EncodeError,
    InvalidMessage,
    MiddlewareFailed,
    PeerError,
    RateLimited,
    SendingTooFast,
)
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol import AIPProtocol, ProtocolMiddleware
from aip_trio.transport import MemoryTransport

TASK = ClientMessage(type=ClientMessageType.TASK, status=TaskStatus.CONTINUE, request="go")
DATA = TASK.model_dump_json().encode()


class Plain(ProtocolMiddleware):
    """Lets everything pass."""

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        await trio.lowlevel.checkpoint()
        return msg

    async def process_incoming(self, msg: WireModel) -> WireModel:
        await trio.lowlevel.checkpoint()
        return msg


class Witness(Plain):
    """Remembers what it hears of."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []

    def on_encoded(self, msg: WireModel, size: int) -> None:
        self.heard.append(("out", size))

    def on_decoded(self, msg: WireModel, size: int) -> None:
        self.heard.append(("in", size))

    def on_failure(self, error: Exception) -> None:
        self.heard.append(("failure", type(error)))


class Faulty(Plain):
    """Raises, or gives back, what it is told to."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        await trio.lowlevel.checkpoint()
        made = self._make()
        if isinstance(made, Exception):
            raise made
        assert isinstance(made, WireModel)
        return made

    process_incoming = process_outgoing


def fitted(*middleware: ProtocolMiddleware) -> tuple[AIPProtocol, MemoryTransport]:
    near, far = MemoryTransport.pair()
    protocol = AIPProtocol(near)
    for each in middleware:
        protocol.add_middleware(each)
    return protocol, far


@pytest.mark.trio
async def test_it_hears_of_what_goes_out_comes_in_and_fails() -> None:
    witness = Witness()
    protocol, far = fitted(witness, Plain())
    await protocol.send_message(TASK)
    assert await far.receive() == DATA
    await far.send(DATA)
    await protocol.receive_message(ClientMessage)
    await far.send(b"{}")
    with pytest.raises(DecodeError):
        await protocol.receive_message(ClientMessage)
    protocol.report(ConnectionLost(1006, ""))
    assert witness.heard == [
        ("out", len(DATA)),
        ("in", len(DATA)),
        ("failure", DecodeError),
        ("failure", ConnectionLost),
    ]


@pytest.mark.trio
async def test_a_message_that_is_received_again_is_counted_once() -> None:
    class Slow(Plain):
        async def process_incoming(self, msg: WireModel) -> WireModel:
            await trio.sleep_forever()
            raise AssertionError

    witness, slow = Witness(), Slow()
    protocol, far = fitted(witness, slow)
    await far.send(DATA)
    for _ in range(2):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(protocol.receive_message, ClientMessage)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    assert witness.heard == [("in", len(DATA))]


@pytest.mark.trio
async def test_what_its_plain_methods_raise_is_logged_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Witness):
        def on_encoded(self, msg: WireModel, size: int) -> None:
            raise KeyError("planted")

        def on_decoded(self, msg: WireModel, size: int) -> None:
            raise KeyError("planted")

    later = Witness()
    protocol, far = fitted(Broken(), later)
    await protocol.send_message(TASK)
    await far.send(DATA)
    assert await protocol.receive_message(ClientMessage) == TASK
    assert later.heard == [("out", len(DATA)), ("in", len(DATA))]
    said = [record.message.rpartition("Broken")[2] for record in caplog.records]
    assert said == [".on_encoded failed", ".on_decoded failed"]


OFFER = ServerMessage(type=ServerMessageType.TASK, status=TaskStatus.CONTINUE)


@pytest.mark.trio
@pytest.mark.parametrize(
    "make",
    [
        lambda: KeyError("planted"),
        lambda: ConnectionLost(1006, "another connection's"),
        lambda: ExceptionGroup("planted", [ValueError()]),
        lambda: OFFER,
    ],
)
async def test_a_link_learns_which_middleware_failed_and_on_what(make: Callable[[], object]) -> None:
    witness = Witness()
    protocol, _ = fitted(witness, Faulty(make))
    for go in (lambda: protocol.pack(TASK), lambda: protocol.unpack(DATA, ClientMessage)):
        with pytest.raises(MiddlewareFailed, match="Faulty failed on a message of type 'task'") as raised:
            await go()
        wrong = make()
        expected = type(wrong) if isinstance(wrong, Exception) else InvalidMessage
        assert type(raised.value.cause) is expected
        assert raised.value.__cause__ is raised.value.cause
    assert ("failure", MiddlewareFailed) in witness.heard  # of the way out; the link tells of the way in


@pytest.mark.trio
async def test_what_is_meant_for_the_other_side_comes_as_it_is() -> None:
    for refusal in (RateLimited(1, 1, 1.0), PeerError("not you")):
        protocol, _ = fitted(Faulty(lambda refusal=refusal: refusal))  # type: ignore[misc]
        with pytest.raises(PeerError) as raised:
            await protocol.unpack(DATA, ClientMessage)
        assert raised.value is refusal
    for mistake in (SendingTooFast(1, 1, 1.0), EncodeError("ClientMessage", "is too odd")):
        protocol, _ = fitted(Faulty(lambda mistake=mistake: mistake))  # type: ignore[misc]
        with pytest.raises(type(mistake)) as wrong:
            await protocol.pack(TASK)
        assert wrong.value is mistake


@pytest.mark.trio
async def test_what_it_fails_on_is_said_otherwise_past_it_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    protocol, _ = fitted(Faulty(lambda: KeyError("a secret")))
    reasons: list[str] = []

    def instead(reason: str) -> WireModel:
        reasons.append(reason)
        return OFFER

    for _ in range(3):
        assert await protocol.pack_or_say(TASK, instead) == OFFER.model_dump_json().encode()
    assert reasons == ["internal error: middleware Faulty failed on the task"] * 3
    (record,) = caplog.records
    assert "Faulty" in record.message
    assert record.exc_info is not None
    failed = MiddlewareFailed("Faulty", "task", KeyError("a secret"))
    assert "secret" not in protocol.refused(failed)
    assert len(caplog.records) == 1


@pytest.mark.trio
async def test_a_message_over_the_limit_is_said_otherwise_too() -> None:
    protocol, _ = fitted(Faulty(lambda: SendingTooFast(2, 1, 0.5)))

    def instead(reason: str) -> WireModel:
        return ServerMessage(type=ServerMessageType.ERROR, status=TaskStatus.ERROR, error=reason)

    assert b"rate=2 messages/s" in await protocol.pack_or_say(TASK, instead)
