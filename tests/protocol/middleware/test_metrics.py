"""Counting what passes."""

import json

import pytest
import trio
from trio.testing import MockClock

from aip_trio.errors import DecodeError
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
)
from aip_trio.protocol import AIPProtocol, Metrics, MetricsMiddleware
from aip_trio.transport import MemoryTransport

COMMAND = ServerMessage(
    type=ServerMessageType.COMMAND, status=TaskStatus.CONTINUE, response_id="r1", session_id="s", actions=[]
)
RESULTS = ClientMessage(
    type=ClientMessageType.COMMAND_RESULTS,
    status=TaskStatus.CONTINUE,
    prev_response_id="r1",
    session_id="s",
    action_results=[],
)


@pytest.mark.trio
async def test_messages_bytes_errors_and_latency_are_counted(autojump_clock: MockClock) -> None:
    near, far = (AIPProtocol(end) for end in MemoryTransport.pair())
    middleware = MetricsMiddleware()
    near.add_middleware(middleware)
    await near.send_message(COMMAND)
    await trio.sleep(2)
    await far.receive_message()
    await far.send_message(RESULTS)
    assert await near.receive_message(ClientMessage) == RESULTS
    await far.transport.send(b"{}")
    with pytest.raises(DecodeError):
        await near.receive_message(ClientMessage)
    counts = middleware.snapshot()
    assert (counts.sent, counts.received) == ({"command": 1}, {"command_results": 1})
    assert counts.bytes_sent == len(COMMAND.model_dump_json())
    assert counts.bytes_received == len(RESULTS.model_dump_json())
    assert counts.errors == {"DecodeError": 1}
    assert counts.latency["command"].count == 1
    assert counts.latency["command"].p99 == pytest.approx(2)
    assert json.loads(json.dumps(counts.as_dict()))["messages_total"] == {
        "sent": {"command": 1},
        "received": {"command_results": 1},
    }


@pytest.mark.trio
async def test_pack_and_unpack_count_the_same() -> None:
    near = AIPProtocol(MemoryTransport.pair()[0])
    middleware = MetricsMiddleware()
    near.add_middleware(middleware)
    data = await near.pack(COMMAND)
    await near.unpack(RESULTS.model_dump_json().encode(), ClientMessage)
    counts = middleware.snapshot()
    assert counts.bytes_sent == len(data)
    assert (counts.sent, counts.received) == ({"command": 1}, {"command_results": 1})


def test_several_count_together_and_keep_their_exchanges_apart() -> None:
    async def main() -> None:
        metrics = Metrics()
        one, other = MetricsMiddleware(metrics), MetricsMiddleware(metrics)
        for middleware in (one, other):
            middleware.on_encoded(COMMAND, 10)
        await trio.sleep(1)
        one.on_decoded(RESULTS, 5)
        await trio.sleep(1)
        other.on_decoded(RESULTS, 5)
        counts = metrics.snapshot()
        assert counts.sent == {"command": 2}
        assert (counts.bytes_sent, counts.bytes_received) == (20, 10)
        latency = counts.latency["command"]
        assert (latency.count, round(latency.minimum, 6), round(latency.maximum, 6)) == (2, 1, 2)

    trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.trio
async def test_a_snapshot_does_not_change_and_a_reset_begins_anew() -> None:
    middleware = MetricsMiddleware()
    middleware.on_encoded(COMMAND, 10)
    before = middleware.snapshot()
    middleware.on_encoded(COMMAND, 10)
    assert before.sent == {"command": 1}
    middleware.metrics.reset()
    assert middleware.snapshot().as_dict() == MetricsMiddleware().snapshot().as_dict()


@pytest.mark.trio
async def test_a_peer_that_never_answers_does_not_fill_the_memory() -> None:
    middleware = MetricsMiddleware()
    for number in range(3000):
        command = ServerMessage(
            type=ServerMessageType.COMMAND, status=TaskStatus.CONTINUE, response_id=str(number)
        )
        middleware.on_encoded(command, 1)
    assert len(middleware._exchanges) == 1024
    assert middleware.snapshot().unanswered == 3000 - 1024
