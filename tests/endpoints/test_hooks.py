"""Hooks: those of one key in order, those of different keys side by side, and what they raise is logged."""

import logging
from functools import partial

import pytest
import trio

from aip_trio.endpoints._hooks import Hooks
from aip_trio.endpoints.connection import Taps
from aip_trio.messages import ServerMessage, ServerMessageType, TaskStatus
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.endpoints.memory import virtual


@virtual
async def test_one_key_in_order_different_keys_side_by_side() -> None:
    called: list[tuple[str, int, float]] = []

    async def hook(key: str, number: int) -> None:
        await trio.sleep(1)
        called.append((key, number, trio.current_time()))

    async with trio.open_nursery() as nursery:
        hooks = Hooks(nursery, "somebody")
        for number in range(3):
            for key in "ab":
                hooks.call(key, partial(hook, key, number))
    assert sorted(called) == [(key, number, number + 1.0) for key in "ab" for number in range(3)]


@virtual
async def test_it_is_called_again_when_it_had_nothing_to_do_for_a_while() -> None:
    called: list[int] = []

    async def hook(number: int) -> None:
        called.append(number)
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        hooks = Hooks(nursery, "somebody")
        for number in range(3):
            hooks.call("a", partial(hook, number))
            await trio.sleep(1)
            assert hooks._waiting == {}
    assert called == [0, 1, 2]


@virtual
async def test_what_one_raises_is_logged_and_the_next_is_called(caplog: pytest.LogCaptureFixture) -> None:
    called: list[str] = []

    async def broken() -> None:
        raise RuntimeError("of no concern")

    async def fine() -> None:
        called.append("fine")
        await trio.lowlevel.checkpoint()

    with caplog.at_level(logging.ERROR, "aip_trio.endpoints"):
        async with trio.open_nursery() as nursery:
            hooks = Hooks(nursery, "somebody")
            hooks.call("a", broken)
            hooks.call("a", fine)
    assert called == ["fine"]
    (record,) = caplog.records
    assert "somebody" in record.message
    assert record.exc_info is not None


MESSAGE = ServerMessage(type=ServerMessageType.HEARTBEAT, status=TaskStatus.OK)


@virtual
async def test_a_tap_shows_the_next_message_to_all_who_wait() -> None:
    taps = Taps()
    taps.show(MESSAGE)  # nobody waits
    got: list[ServerMessage] = []

    async def wait() -> None:
        got.append(await taps.next())

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        taps.show(MESSAGE)
        taps.show(MESSAGE)
    assert got == [MESSAGE] * 3


def test_a_cancelled_wait_leaves_no_tap() -> None:
    async def scenario(point: CancelPoint) -> None:
        taps = Taps()
        async with trio.open_nursery() as nursery:

            async def show() -> None:
                await trio.sleep(1)
                taps.show(MESSAGE)

            nursery.start_soon(show)
            with point:
                assert await taps.next() is MESSAGE
        assert taps._waiting == []
        taps.show(MESSAGE)

    assert cancel_at_every_checkpoint(scenario) >= 1
