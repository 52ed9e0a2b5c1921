"""Services of auto-trainer-api, and our client: every kind of answer, both dialects, and restarts."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import pytest
import trio

from aip_trio.errors import CommandLost, CommandTimeout, ServiceUnreachable
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequestErrorKind as ErrorKind,
    ApiCommandRequestResult as Result,
    ApiEventKind,
    ApiTopic,
    Event,
    Heartbeat,
    PresenceState,
    RpcClient,
)
from tests.peers.programs import Peer, PeerService, free_ports, service

#: Seconds for anything of the peer's, on a machine that is busy.
PATIENCE = 20.0

#: An event without underscores in its values, which 0.9 renames.
MOVED = {"kind": 2001, "when": 1_700_000_000.5, "index": 7, "context": {"device_id": "d1", "deep_key": [1]}}


@pytest.fixture(scope="module")
def theirs(peer: Peer) -> Generator[PeerService]:
    with service(peer) as found:
        yield found


@asynccontextmanager
async def client_of(theirs: PeerService) -> AsyncGenerator[RpcClient]:
    client = RpcClient("127.0.0.1", theirs.events_port, theirs.commands_port, timeout=PATIENCE)
    with trio.fail_after(2 * PATIENCE):
        async with client:
            yield client


@pytest.mark.trio
async def test_each_answer_of_a_delegate_comes_as_its_reply(theirs: PeerService) -> None:
    async with client_of(theirs) as client:
        reply = await client.command(ApiCommand.GET_CONFIGURATION)
        assert (reply.command, reply.result) == (ApiCommand.GET_CONFIGURATION, Result.SUCCESS)
        assert reply.data == {"device_id": "000000", "nested_key": {"inner_key": [1, 2]}}
        reply = await client.command(ApiCommand.EMERGENCY_STOP)
        assert reply.result == Result.EXCEPTION
        assert reply.error_message is not None
        assert reply.error_message.lower() in ("boom_in_delegate", "boomindelegate")  # 0.9 renames it
        reply = await client.command(ApiCommand.EMERGENCY_RESUME)
        assert (reply.result, reply.error_kind, reply.error_code) == (
            Result.FAILED,
            ErrorKind.COMMAND_ERROR,
            7,
        )


@pytest.mark.trio
async def test_data_reach_the_delegate_and_come_back(theirs: PeerService) -> None:
    async with client_of(theirs) as client:
        reply = await client.command(ApiCommand.GET_STATUS, {"some_key": 1, "other": [{"inner_key": None}]})
        assert reply.data == {"given": {"some_key": 1, "other": [{"inner_key": None}]}}


@pytest.mark.trio
async def test_the_end_of_a_pending_command_is_waited_for(theirs: PeerService) -> None:
    async with client_of(theirs) as client:
        reply = await client.command(ApiCommand.USER_DEFINED, custom_command=5)
        assert reply.result == Result.PENDING_WITH_NOTIFICATION
        reply = await client.command(ApiCommand.USER_DEFINED, custom_command=6, wait=True)
        assert (reply.result, reply.data) == (Result.SUCCESS, {"custom_command": 6})


@pytest.mark.trio
async def test_many_commands_at_once_have_their_own_answers(theirs: PeerService) -> None:
    answers: dict[int, object] = {}

    async def ask(client: RpcClient, number: int) -> None:
        answers[number] = (await client.command(ApiCommand.GET_STATUS, {"number": number})).data

    async with client_of(theirs) as client, trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(ask, client, number)
    assert answers == {number: {"given": {"number": number}} for number in range(10)}


@pytest.mark.trio
async def test_events_and_heartbeats_are_typed_in_either_dialect(theirs: PeerService) -> None:
    async with client_of(theirs) as client, client.subscribe() as events:
        await events.confirmed()
        theirs.dialogue.publish(MOVED)
        theirs.dialogue.publish({"kind": 101, "when": 1.5, "index": 8, "context": {"reason": "door"}})
        found: list[Event] = []
        beats: list[Heartbeat] = []
        async for event in events:
            if isinstance(event, Heartbeat):
                beats.append(event)
            elif isinstance(event, Event):
                found.append(event)
            if len(found) == 3 and beats:
                break
    assert [(each.topic, each.kind, each.index) for each in found] == [
        (ApiTopic.EVENT, ApiEventKind.deviceCommandSend, 7),
        (ApiTopic.EMERGENCY, ApiEventKind.emergencyStop, 8),
        (ApiTopic.EVENT, ApiEventKind.emergencyStop, 8),
    ]
    assert found[0].when == 1_700_000_000.5
    assert found[0].context == {"device_id": "d1", "deep_key": [1]}
    assert beats[0].version == theirs.peer.version
    assert beats[0].identifier in ("autotrainer-device", "autotrainerDevice")  # 0.9 renames it


@pytest.mark.trio
async def test_a_service_that_is_killed_and_comes_back_is_worked_with_again(peer: Peer) -> None:
    ports = free_ports()
    with trio.fail_after(3 * PATIENCE):
        with service(peer, ports) as first:
            client = RpcClient("127.0.0.1", *ports, timeout=PATIENCE)
            async with client:
                async with client.subscribe(ApiTopic.HEARTBEAT) as beats:
                    for _ in range(4):  # so that the client knows how long a silence means something
                        await anext(beats)
                assert (await client.command(ApiCommand.GET_STATUS)).result == Result.SUCCESS
                async with client.subscribe(ApiTopic.EVENT) as events:
                    first.dialogue.process.kill()
                    first.dialogue.process.wait()
                    with pytest.raises((CommandLost, CommandTimeout, ServiceUnreachable)):
                        await client.command(ApiCommand.GET_STATUS, timeout=0.5)
                    async with client.presence_changes() as changes:
                        async for presence in changes:
                            if presence.state is PresenceState.GONE:
                                break
                    with service(peer, ports) as second:
                        await client.wait_present()
                        assert (await client.command(ApiCommand.GET_STATUS)).result == Result.SUCCESS
                        async with trio.open_nursery() as nursery:
                            nursery.start_soon(_publish_on, second)
                            async for event in events:
                                if isinstance(event, Event):
                                    assert event.index == 7
                                    break
                            nursery.cancel_scope.cancel()


async def _publish_on(theirs: PeerService) -> None:
    """Again and again: nothing tells when a subscription has reached a service that came back."""
    while True:
        theirs.dialogue.publish(MOVED)
        await trio.sleep(0.1)
