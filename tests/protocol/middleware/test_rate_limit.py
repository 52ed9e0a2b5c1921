"""The rate limit: it waits, raises or refuses; in virtual time."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from aip_trio.errors import InvalidSpec, RateLimited, SendingTooFast
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol import AIPProtocol, RateLimitMiddleware
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport

TASK = ClientMessage(type=ClientMessageType.TASK, status=TaskStatus.CONTINUE, request="go")
BEAT = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK)
ERROR = ServerMessage(type=ServerMessageType.ERROR, status=TaskStatus.ERROR, error="no")


async def timed(limit: RateLimitMiddleware, *messages: WireModel) -> list[float]:
    """When each of them has passed, on its way out."""
    start, passed = trio.current_time(), list[float]()
    for message in messages:
        assert await limit.process_outgoing(message) is message
        passed.append(round(trio.current_time() - start, 6))
    return passed


@pytest.mark.trio
async def test_what_goes_out_waits_for_its_turn(autojump_clock: MockClock) -> None:
    limit = RateLimitMiddleware(2, 2)
    assert await timed(limit, *[TASK] * 5) == [0, 0, 0.5, 1.0, 1.5]


@pytest.mark.trio
async def test_those_that_wait_go_in_the_order_of_their_calls(autojump_clock: MockClock) -> None:
    limit = RateLimitMiddleware(1, 1)
    passed: list[tuple[int, float]] = []
    start = trio.current_time()

    async def send(number: int) -> None:
        await trio.sleep(number / 100)
        await limit.process_outgoing(TASK)
        passed.append((number, round(trio.current_time() - start)))

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(send, number)
    assert passed == [(number, number) for number in range(5)]


@pytest.mark.trio
async def test_a_heartbeat_passes_while_others_wait(autojump_clock: MockClock) -> None:
    limit = RateLimitMiddleware(0.1, 1)
    await limit.process_outgoing(TASK)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(limit.process_outgoing, TASK)
        await trio.testing.wait_all_tasks_blocked()
        assert await timed(limit, *[BEAT] * 100, ERROR) == [0] * 101
        assert await limit.process_incoming(BEAT) is BEAT
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_asked_to_it_raises_and_says_when_to_try_again(autojump_clock: MockClock) -> None:
    limit = RateLimitMiddleware(4, 1, outgoing="raise")
    await limit.process_outgoing(TASK)
    with pytest.raises(SendingTooFast, match=r"rate=4 .* burst=1 .* in 0\.25 s") as raised:
        await limit.process_outgoing(TASK)
    await trio.sleep(raised.value.retry_after)
    assert await limit.process_outgoing(TASK) is TASK


@pytest.mark.trio
async def test_what_comes_too_fast_is_refused_with_the_limit_and_when_to_try_again(
    autojump_clock: MockClock,
) -> None:
    limit = RateLimitMiddleware(4, 2)
    for _ in range(2):
        assert await limit.process_incoming(TASK) is TASK
    with pytest.raises(RateLimited, match=r"4 messages/s \(2 at once\).*0\.25 s") as raised:
        await limit.process_incoming(TASK)
    assert (raised.value.rate, raised.value.burst) == (4, 2)
    await trio.sleep(raised.value.retry_after)
    assert await limit.process_incoming(TASK) is TASK


@pytest.mark.trio
async def test_each_way_has_its_own_limit_and_may_have_none(autojump_clock: MockClock) -> None:
    limit = RateLimitMiddleware(1, 1)
    await limit.process_incoming(TASK)
    assert await timed(limit, TASK) == [0]
    assert await timed(RateLimitMiddleware(1, 1, outgoing=None), *[TASK] * 9) == [0] * 9
    deaf = RateLimitMiddleware(1, 1, incoming=False)
    for _ in range(9):
        assert await deaf.process_incoming(TASK) is TASK


@pytest.mark.trio
async def test_in_library_use_a_refused_message_is_the_failure_of_that_receive(
    autojump_clock: MockClock,
) -> None:
    near, far = (AIPProtocol(end) for end in MemoryTransport.pair())
    near.add_middleware(RateLimitMiddleware(1, 1))
    for _ in range(2):
        await far.send_message(TASK)
    await far.send_message(BEAT)
    assert await near.receive_message(ClientMessage) == TASK
    with pytest.raises(RateLimited):
        await near.receive_message(ClientMessage)
    assert await near.receive_message(ClientMessage) == BEAT


def test_a_cancelled_wait_costs_no_token_and_no_place() -> None:
    async def scenario(point: CancelPoint) -> None:
        limit = RateLimitMiddleware(1, 1)
        start = trio.current_time()
        await limit.process_outgoing(TASK)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(limit.process_outgoing, TASK)
            await trio.testing.wait_all_tasks_blocked()
            with point:
                await limit.process_outgoing(TASK)
        await limit.process_outgoing(TASK)
        assert round(trio.current_time() - start, 3) == (2 if point.cancelled else 3)

    assert cancel_at_every_checkpoint(scenario) >= 2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"rate": 0}, "rate"),
        ({"rate": 1, "burst": 0}, "burst"),
        ({"rate": 1, "outgoing": "drop"}, "outgoing"),
        ({"rate": 1, "exempt": "heartbeat"}, "exempt"),
    ],
)
def test_a_bad_option_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidSpec, match=named):
        RateLimitMiddleware(**options)
