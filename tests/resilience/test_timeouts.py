import logging
import math
import warnings
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from aip_trio.errors import AipError, InvalidSpec, OperationTimeout
from aip_trio.resilience import TimeoutManager
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint


async def nap(seconds: float) -> str:
    await trio.sleep(seconds)
    return "rested"


@pytest.mark.trio
async def test_an_operation_that_is_in_time_gives_its_result(autojump_clock: MockClock) -> None:
    manager = TimeoutManager(10.0)
    assert await manager.with_timeout(nap(9.9)) == "rested"
    assert await manager.with_timeout(nap(90.0), 91.0) == "rested"
    assert await manager.with_timeout_or_none(nap(9.9)) == "rested"


@pytest.mark.trio
async def test_one_that_is_late_is_cancelled_and_named(autojump_clock: MockClock) -> None:
    ended = False

    async def slow() -> None:
        nonlocal ended
        try:
            await trio.sleep(10.1)
        finally:
            ended = True

    with pytest.raises(OperationTimeout) as raised:
        await TimeoutManager(10.0).with_timeout(slow(), operation_name="the survey")
    assert raised.value.operation == "the survey"
    assert raised.value.timeout == 10.0
    assert isinstance(raised.value, TimeoutError)
    assert isinstance(raised.value, AipError)
    assert ended
    assert trio.current_time() == 10.0


@pytest.mark.trio
async def test_late_or_none_says_so_in_the_log(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "aip_trio.resilience"):
        assert await TimeoutManager().with_timeout_or_none(nap(121.0), operation_name="the survey") is None
    assert "the survey" in caplog.text
    assert trio.current_time() == 120.0


@pytest.mark.trio
async def test_a_timeout_of_0_is_0_and_not_the_default(autojump_clock: MockClock) -> None:
    manager = TimeoutManager(120.0)
    with pytest.raises(OperationTimeout):
        await manager.with_timeout(nap(1.0), 0)
    assert await manager.with_timeout_or_none(nap(1.0), 0) is None
    assert trio.current_time() == 0.0
    with pytest.raises(OperationTimeout):
        await TimeoutManager(0).with_timeout(nap(1.0))


@pytest.mark.trio
async def test_infinity_is_no_limit(autojump_clock: MockClock) -> None:
    assert await TimeoutManager(1.0).with_timeout(nap(1e6), math.inf) == "rested"


@pytest.mark.trio
async def test_a_function_is_called_for_its_awaitable(autojump_clock: MockClock) -> None:
    assert await TimeoutManager().with_timeout(lambda: nap(1.0)) == "rested"


@pytest.mark.trio
@pytest.mark.parametrize(
    "error", [TimeoutError("inner"), OperationTimeout("inner", 1.0), trio.TooSlowError()]
)
async def test_a_timeout_of_the_operations_own_goes_through(error: Exception) -> None:
    async def failing() -> None:
        await trio.lowlevel.checkpoint()
        raise error

    with pytest.raises(type(error)) as raised:
        await TimeoutManager().with_timeout(failing())
    assert raised.value is error
    with pytest.raises(type(error)) as raised:
        await TimeoutManager().with_timeout_or_none(failing())
    assert raised.value is error


@pytest.mark.trio
@pytest.mark.parametrize("seconds", [-1.0, math.nan, "5"])
async def test_a_timeout_out_of_range_is_refused_and_nothing_runs(seconds: float) -> None:
    ran = False

    async def operation() -> None:
        nonlocal ran
        ran = True

    manager = TimeoutManager()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidSpec, match="timeout"):
            await manager.with_timeout(operation(), seconds)
        with pytest.raises(InvalidSpec, match="timeout"):
            await manager.with_timeout_or_none(operation, seconds)
    assert not ran
    with pytest.raises(InvalidSpec, match="default_timeout"):
        TimeoutManager(seconds)


@pytest.mark.parametrize("method", [TimeoutManager.with_timeout, TimeoutManager.with_timeout_or_none])
def test_cancelled_from_outside_the_operation_is_cancelled(
    method: Callable[[TimeoutManager, Awaitable[str]], Awaitable[str | None]],
) -> None:
    async def scenario(point: CancelPoint) -> None:
        result: str | None = None
        with point:
            result = await method(TimeoutManager(5.0), nap(1.0))
        assert (result is None) == point.cancelled

    assert cancel_at_every_checkpoint(scenario) == 1
