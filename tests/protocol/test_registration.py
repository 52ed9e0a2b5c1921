"""Registering, with a plain peer at the other end (wire/aip.md 1)."""

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import DecodeError, IllegalTransition, InvalidSpec, TransportError, UnexpectedMessage
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ClientType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
)
from aip_trio.protocol import AIPProtocol, RegistrationProtocol, RegistrationState
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport

ACCEPTED = ServerMessage(type=ServerMessageType.HEARTBEAT, status=TaskStatus.OK, response_id="r")
REFUSED = ServerMessage(type=ServerMessageType.ERROR, status=TaskStatus.ERROR, error="duplicate")
REGISTER = ClientMessage(type=ClientMessageType.REGISTER, status=TaskStatus.OK, client_id="dev-1")


async def registered(
    client: RegistrationProtocol, peer: AIPProtocol, answer: ServerMessage | bytes, **kwargs: Any
) -> tuple[bool, ClientMessage]:
    """Register a device at a peer that answers so; what comes of it, and what the peer saw."""
    await peer.transport.send(answer if isinstance(answer, bytes) else await peer.pack(answer))
    outcome = await client.register_as_device("dev-1", **kwargs)
    return outcome, await peer.receive_message(ClientMessage)


def ends() -> tuple[RegistrationProtocol, AIPProtocol]:
    client, server = MemoryTransport.pair()
    return RegistrationProtocol(client), AIPProtocol(server)


@pytest.mark.trio
async def test_a_device_registers_with_its_platform_and_is_accepted() -> None:
    client, peer = ends()
    metadata = {"capabilities": ["look"]}
    accepted, seen = await registered(client, peer, ACCEPTED, metadata=metadata, platform="linux")
    assert accepted
    assert client.refusal is None
    assert client.state is RegistrationState.REGISTERED
    assert (seen.type, seen.status, seen.client_type) == ("register", "ok", "device")
    assert (seen.client_id, seen.target_id) == ("dev-1", None)
    assert seen.timestamp
    assert seen.metadata == {
        "platform": "linux",
        "capabilities": ["look"],
        "registration_time": (seen.metadata or {})["registration_time"],
    }
    assert metadata == {"capabilities": ["look"]}  # the caller's own is left alone


@pytest.mark.trio
async def test_the_platform_is_windows_unless_said_otherwise_and_the_metadatas_own_wins() -> None:
    client, peer = ends()
    _, seen = await registered(client, peer, ACCEPTED)
    assert (seen.metadata or {})["platform"] == "windows"
    client, peer = ends()
    _, seen = await registered(client, peer, ACCEPTED, metadata={"platform": "mac"}, platform="linux")
    assert (seen.metadata or {})["platform"] == "mac"


@pytest.mark.trio
@pytest.mark.parametrize(("given", "target"), [("dev-1", "dev-1"), (None, None), ("", None)])
async def test_a_constellation_registers_for_a_device_or_any(given: str | None, target: str | None) -> None:
    client, peer = ends()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.register_as_constellation, "orch", given, {"zone": 3})
        seen = await peer.receive_message(ClientMessage)
        await peer.send_message(ACCEPTED)
    assert (seen.client_type, seen.client_id, seen.target_id) == (ClientType.CONSTELLATION, "orch", target)
    assert seen.metadata is not None
    assert (seen.metadata["type"], seen.metadata["targeted_device_id"]) == ("constellation_client", target)
    assert seen.metadata["zone"] == 3
    assert client.state is RegistrationState.REGISTERED


@pytest.mark.trio
async def test_a_refusal_is_false_and_its_reason_is_kept() -> None:
    client, peer = ends()
    accepted, _ = await registered(client, peer, REFUSED)
    assert not accepted
    assert client.refusal == "duplicate"
    assert client.state is RegistrationState.REFUSED


@pytest.mark.trio
async def test_a_refusal_without_a_reason_says_so() -> None:
    client, peer = ends()
    await registered(client, peer, ServerMessage(type=ServerMessageType.ERROR, status=TaskStatus.ERROR))
    assert client.refusal == "no reason given"


@pytest.mark.trio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ServerMessage(type=ServerMessageType.TASK, status=TaskStatus.CONTINUE), UnexpectedMessage),
        (ServerMessage(type=ServerMessageType.HEARTBEAT, status=TaskStatus.FAILED), UnexpectedMessage),
        (b"hello", DecodeError),
    ],
)
async def test_any_other_answer_is_an_error(answer: ServerMessage | bytes, error: type[Exception]) -> None:
    client, peer = ends()
    with pytest.raises(error):
        await registered(client, peer, answer)
    assert client.state is RegistrationState.FAILED


@pytest.mark.trio
async def test_a_connection_that_ends_first_is_a_connection_error() -> None:
    client, peer = ends()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def registers() -> None:
            with pytest.raises(TransportError):
                await client.register_as_device("dev-1")

        await peer.receive_message(ClientMessage)
        await peer.close()
    assert client.state is RegistrationState.FAILED


@pytest.mark.trio
async def test_without_a_connection_nothing_was_asked_and_it_can_be_tried_again() -> None:
    client = RegistrationProtocol(MemoryTransport())
    with pytest.raises(ConnectionError):
        await client.register_as_device("dev-1")
    assert client.state is RegistrationState.UNREGISTERED


@pytest.mark.trio
async def test_one_connection_registers_once() -> None:
    client, peer = ends()
    await registered(client, peer, ACCEPTED)
    with pytest.raises(IllegalTransition):
        await client.register_as_device("dev-1")
    assert client.state is RegistrationState.REGISTERED


@pytest.mark.trio
@pytest.mark.parametrize("client_id", ["", "a/b", "x" * 257])
async def test_an_id_that_no_server_takes_is_not_sent(client_id: str) -> None:
    client, _ = ends()
    with pytest.raises(InvalidSpec, match="client_id"):
        await client.register_as_device(client_id)
    with pytest.raises(InvalidSpec, match="client_id"):
        await client.register_as_constellation(client_id, None)
    assert client.state is RegistrationState.UNREGISTERED


# -- the server's side


@pytest.mark.trio
@pytest.mark.parametrize("accepts", [True, False])
async def test_the_server_answers_once(accepts: bool) -> None:
    peer, server = MemoryTransport.pair()
    protocol, plain = RegistrationProtocol(server), AIPProtocol(peer)
    await plain.send_message(REGISTER)
    assert await protocol.receive_message(ClientMessage) == REGISTER
    if accepts:
        await protocol.send_registration_confirmation("r1")
    else:
        await protocol.send_registration_error("duplicate", "r1")
    answer = await plain.receive_message()
    kind, status = ("heartbeat", "ok") if accepts else ("error", "error")
    assert (answer.type, answer.status, answer.response_id) == (kind, status, "r1")
    assert answer.error == (None if accepts else "duplicate")
    for again in (protocol.send_registration_confirmation(), protocol.send_registration_error("x")):
        with pytest.raises(IllegalTransition):
            await again
    await protocol.send_error("another matter")  # is not an answer to the registration
    assert (await plain.receive_message()).error == "another matter"


@pytest.mark.trio
async def test_the_register_may_have_been_read_through_another_object() -> None:
    peer, server = MemoryTransport.pair()
    plain = AIPProtocol(peer)
    await plain.send_message(REGISTER)
    await AIPProtocol(server).receive_message(ClientMessage)
    protocol = RegistrationProtocol(server)
    await protocol.send_registration_confirmation()
    assert protocol.state is RegistrationState.REGISTERED
    assert (await plain.receive_message()).response_id


@pytest.mark.trio
async def test_what_is_no_register_can_be_refused_but_not_accepted() -> None:
    peer, server = MemoryTransport.pair()
    protocol, plain = RegistrationProtocol(server), AIPProtocol(peer)
    await plain.send_message(ClientMessage(type=ClientMessageType.TASK, status=TaskStatus.CONTINUE))
    await protocol.receive_message(ClientMessage)
    with pytest.raises(IllegalTransition):
        await protocol.send_registration_confirmation()
    await protocol.send_registration_error("register first")
    assert protocol.state is RegistrationState.REFUSED


@pytest.mark.trio
async def test_an_answer_that_cannot_be_sent_was_not_given() -> None:
    peer, server = MemoryTransport.pair()
    protocol = RegistrationProtocol(server)
    await peer.close()
    with pytest.raises(ConnectionError):
        await protocol.send_registration_confirmation()
    assert protocol.state is RegistrationState.UNREGISTERED


# -- cancellation


@pytest.mark.parametrize("answer", [ACCEPTED, REFUSED])
def test_registering_can_be_cancelled_anywhere(answer: ServerMessage) -> None:
    async def scenario(point: CancelPoint) -> None:
        client, peer = ends()
        outcome: list[bool] = []

        async def answers() -> None:
            await peer.receive_message(ClientMessage)
            await peer.send_message(answer)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answers)
            await wait_all_tasks_blocked()
            with point:
                outcome.append(await client.register_as_device("dev-1"))
            if point.cancelled:
                # Nobody may take a late answer for another one's: the connection is of no more use.
                assert client.state is RegistrationState.FAILED
                with pytest.raises(IllegalTransition):
                    await client.register_as_device("dev-1")
            else:
                assert outcome == [answer is ACCEPTED]
            nursery.cancel_scope.cancel()

    assert cancel_at_every_checkpoint(scenario) == 2


@pytest.mark.parametrize("accepts", [True, False])
def test_answering_can_be_cancelled_anywhere(accepts: bool) -> None:
    async def scenario(point: CancelPoint) -> None:
        peer, server = MemoryTransport.pair()
        protocol, plain = RegistrationProtocol(server), AIPProtocol(peer)
        await plain.send_message(REGISTER)
        await protocol.receive_message(ClientMessage)
        with point:
            if accepts:
                await protocol.send_registration_confirmation()
            else:
                await protocol.send_registration_error("no")
        answered = RegistrationState.REGISTERED if accepts else RegistrationState.REFUSED
        assert protocol.state is (RegistrationState.FAILED if point.cancelled else answered)

    assert cancel_at_every_checkpoint(scenario) == 1
