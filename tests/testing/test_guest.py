from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import trio

from aip_trio.testing import GuestRun


@asynccontextmanager
async def open_list() -> AsyncGenerator[list[str]]:
    log = ["opened"]
    await trio.sleep(1)
    yield log
    await trio.sleep(1)
    log.append("closed")


def failing_after(seconds: float) -> Callable[[], AbstractAsyncContextManager[None]]:
    async def fail() -> None:
        await trio.sleep(seconds)
        raise ZeroDivisionError

    @asynccontextmanager
    async def opened() -> AsyncGenerator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail)
            yield

    return opened


def test_calls_share_what_is_open_and_closing_waits_for_it() -> None:
    async def add(word: str) -> int:
        await trio.sleep(3600)
        run.value.append(word)
        return len(run.value)

    with GuestRun(open_list) as run:
        assert run.call(add, "one") == 2
        assert run.call(add, "two") == 3
    assert run.value == ["opened", "one", "two", "closed"]


def test_the_clock_stands_still_between_calls_and_background_tasks_move_with_it() -> None:
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await trio.sleep(10)
            ticks.append(trio.current_time())

    @asynccontextmanager
    async def ticking() -> AsyncGenerator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            yield
            nursery.cancel_scope.cancel()

    async def now() -> float:
        await trio.lowlevel.checkpoint()
        return trio.current_time()

    with GuestRun(ticking) as run:
        start = run.call(now)
        assert run.call(now) == start
        assert ticks == []
        run.call(trio.sleep, 35)
        assert [tick - start for tick in ticks] == pytest.approx([10, 20, 30])


def test_what_a_call_raises_is_raised_to_its_caller_and_the_run_goes_on() -> None:
    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise KeyError("planted")

    with GuestRun(open_list) as run:
        with pytest.raises(KeyError, match="planted"):
            run.call(fail)
        run.call(trio.sleep, 1)
    assert run.value == ["opened", "closed"]


def test_a_failure_beside_a_call_is_raised_by_that_call_and_ends_the_run() -> None:
    run = GuestRun(failing_after(5))
    with pytest.raises(ExceptionGroup) as raised:
        run.call(trio.sleep, 10)
    assert raised.group_contains(ZeroDivisionError)
    run.close()  # told already
    with pytest.raises(RuntimeError, match="the GuestRun is over"):
        run.call(trio.sleep, 1)


def test_a_failure_that_no_call_saw_is_raised_by_close() -> None:
    run = GuestRun(failing_after(5))
    run.call(trio.sleep, 1)
    with pytest.raises(ExceptionGroup) as raised:
        run.close()
    assert raised.group_contains(ZeroDivisionError)


def test_a_failure_to_open_is_raised_by_the_constructor() -> None:
    @asynccontextmanager
    async def broken() -> AsyncGenerator[None]:
        await trio.lowlevel.checkpoint()
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        GuestRun(broken)


def test_opening_and_closing_are_bounded_by_patience() -> None:
    @asynccontextmanager
    async def never_opens() -> AsyncGenerator[None]:
        await trio.sleep_forever()
        yield

    @asynccontextmanager
    async def never_closes() -> AsyncGenerator[None]:
        await trio.lowlevel.checkpoint()
        yield
        await trio.sleep_forever()

    with pytest.raises(trio.TooSlowError):
        GuestRun(never_opens, patience=3)
    run = GuestRun(never_closes, patience=3)
    run.call(trio.sleep, 100)  # patience does not bound what comes between
    with pytest.raises(trio.TooSlowError):
        run.close()


def test_close_may_be_called_twice() -> None:
    run = GuestRun(open_list)
    run.close()
    run.close()
    assert run.value == ["opened", "closed"]
