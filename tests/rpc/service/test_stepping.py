"""A coroutine that was begun by hand, and the rest of it."""

import contextlib
from collections.abc import Coroutine, Generator

import pytest
import trio

from aip_trio.rpc.service._stepping import rest_of


class Planted(Exception):
    """On purpose."""


class Trap:
    """What an async library hands to its scheduler."""

    def __await__(self) -> Generator[str, object, object]:
        return (yield "trap")


async def await_it(coroutine: Coroutine[object, object, object]) -> object:
    """What `await coroutine` does, in two steps."""
    try:
        trap = coroutine.send(None)
    except StopIteration as returned:
        return returned.value
    return await rest_of(coroutine, trap)


@pytest.mark.trio
async def test_it_returns_what_the_coroutine_does() -> None:
    async def work() -> int:
        total = 0
        for number in range(5):
            await trio.lowlevel.checkpoint()
            total += number
        return total

    assert await await_it(work()) == 10


@pytest.mark.trio
async def test_a_coroutine_that_never_waits_has_no_rest() -> None:
    async def work() -> str:
        return "done"

    coroutine = work()
    with pytest.raises(StopIteration) as returned:
        coroutine.send(None)
    assert returned.value.value == "done"


@pytest.mark.trio
async def test_it_raises_what_the_coroutine_does() -> None:
    async def work() -> None:
        await trio.lowlevel.checkpoint()
        raise Planted

    with pytest.raises(Planted):
        await await_it(work())


@pytest.mark.trio
async def test_scopes_and_nurseries_inside_work(autojump_clock: trio.testing.MockClock) -> None:
    async def work() -> list[str]:
        done: list[str] = []

        async def child(name: str, seconds: float) -> None:
            await trio.sleep(seconds)
            done.append(name)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(child, "slow", 2)
            nursery.start_soon(child, "quick", 1)
        with trio.move_on_after(1) as scope:
            await trio.sleep_forever()
        assert scope.cancelled_caught
        return done

    assert await await_it(work()) == ["quick", "slow"]


@pytest.mark.trio
async def test_it_can_be_cancelled_and_cleans_up(autojump_clock: trio.testing.MockClock) -> None:
    cleaned = False

    async def work() -> None:
        nonlocal cleaned
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
            cleaned = True

    with trio.move_on_after(1) as scope:
        await await_it(work())
    assert scope.cancelled_caught
    assert cleaned


def test_what_is_thrown_in_reaches_the_coroutine() -> None:
    async def work() -> str:
        try:
            await Trap()
        except Planted:
            return "caught"
        return "missed"

    outer = await_it(work())
    assert outer.send(None) == "trap"
    with pytest.raises(StopIteration) as returned:
        outer.throw(Planted())
    assert returned.value.value == "caught"


def test_closed_it_closes_the_coroutine() -> None:
    closed: list[bool] = []

    async def work() -> None:
        try:
            await Trap()
        finally:
            closed.append(True)

    outer = await_it(work())
    outer.send(None)
    outer.close()
    assert closed == [True]


@pytest.mark.parametrize("thrown", [False, True])
def test_what_closes_it_is_told_apart_from_what_the_coroutine_raises(thrown: bool) -> None:
    async def work() -> None:
        with contextlib.suppress(Planted):
            await Trap()
        raise GeneratorExit

    outer = await_it(work())
    outer.send(None)
    with pytest.raises(RuntimeError, match="raised GeneratorExit"):
        outer.throw(Planted()) if thrown else outer.send(None)
