"""ReconnectionStrategy: its waits by the seeds' table, its tries on an endpoint that comes and goes."""

import logging
import statistics
from collections.abc import Callable
from itertools import islice

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from aip_trio.errors import InvalidSpec, ReconnectionUnderWay
from aip_trio.resilience import Backoff, ReconnectionPolicy, ReconnectionStrategy
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.actors.model._settings import examples

LINEAR, IMMEDIATE, NONE = (
    ReconnectionPolicy.LINEAR_BACKOFF,
    ReconnectionPolicy.IMMEDIATE,
    ReconnectionPolicy.NONE,
)


class Endpoint:
    """Fails so many tries for each device, and notes all it is asked to do, and when."""

    def __init__(self, **failures: int) -> None:
        self.failures = failures
        self.error: Callable[[], Exception] | None = lambda: ConnectionRefusedError("planted")
        self.told: list[tuple[float, str, str]] = []

    def note(self, what: str, device_id: str) -> None:
        self.told.append((trio.current_time(), what, device_id))

    async def reconnect_device(self, device_id: str) -> bool:
        await trio.lowlevel.checkpoint()
        self.note("try", device_id)
        if self.failures.get(device_id, 0) == 0:
            return True
        self.failures[device_id] -= 1
        if self.error is not None:
            raise self.error()
        return False

    async def cancel_device_tasks(self, device_id: str, reason: str) -> None:
        await trio.lowlevel.checkpoint()
        self.note(f"cancel: {reason}", device_id)

    async def on_device_disconnected(self, device_id: str) -> None:
        await trio.lowlevel.checkpoint()
        self.note("disconnected", device_id)

    def tries(self, device_id: str) -> list[float]:
        return [at for at, what, device in self.told if (what, device) == ("try", device_id)]


def test_the_defaults_wait_as_the_seeds_say() -> None:
    assert list(ReconnectionStrategy().delays()) == [1.0, 2.0, 4.0, 8.0, 16.0]
    seed = ReconnectionStrategy(max_retries=3, initial_backoff=2.0, max_backoff=60.0)
    assert list(seed.delays()) == [2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("strategy", "waits"),
    [
        (ReconnectionStrategy(7, 1.0, 10.0), [1, 2, 4, 8, 10, 10, 10]),
        (ReconnectionStrategy(3, backoff_multiplier=3.0), [1, 3, 9]),
        (ReconnectionStrategy(5, 2.0, 7.0, policy=LINEAR), [2, 4, 6, 7, 7]),
        (ReconnectionStrategy(3, policy=IMMEDIATE), [0, 0, 0]),
        (ReconnectionStrategy(3, policy=NONE), []),
        (ReconnectionStrategy(0), []),
        (ReconnectionStrategy(2, 5.0, 0.5), [0.5, 0.5]),  # the cap holds for the first wait, too
    ],
)
def test_each_policy_has_its_waits(strategy: ReconnectionStrategy, waits: list[float]) -> None:
    assert list(strategy.delays("dev")) == waits


def test_without_max_retries_there_is_always_another_wait() -> None:
    delays = ReconnectionStrategy(None, max_backoff=9.0).delays()
    assert list(islice(delays, 2000))[-1] == 9.0


@examples(100)
@given(
    st.none() | st.integers(0, 8),
    st.floats(0, 100),
    st.floats(0, 100),
    st.floats(1, 5),
    st.sampled_from(ReconnectionPolicy),
    st.booleans(),
)
def test_the_waits_are_those_of_its_backoff(
    retries: int | None, initial: float, most: float, factor: float, policy: ReconnectionPolicy, jitter: bool
) -> None:
    strategy = ReconnectionStrategy(retries, initial, most, factor, policy, jitter=jitter)
    backoff = strategy.backoff
    assert backoff.max_retries == (0 if policy is NONE else retries)
    waits = list(islice(strategy.delays("dev"), 12))
    assert len(waits) == min(12, 12 if backoff.max_retries is None else backoff.max_retries)
    for failures, wait in enumerate(waits, 1):
        assert 0 <= wait <= backoff.ceiling(failures) <= most
        assert jitter or wait == backoff.delay(failures, 0.5)
        assert not backoff.exhausted(failures)


def test_jitter_spreads_a_fleet_and_repeats_itself() -> None:
    strategy = ReconnectionStrategy(3, 8.0, jitter=True)
    first = [next(strategy.delays(f"dev-{number}")) for number in range(500)]
    assert first == [next(strategy.delays(f"dev-{number}")) for number in range(500)]
    assert 3.5 < statistics.mean(first) < 4.5
    assert statistics.stdev(first) == pytest.approx(8 / 12**0.5, rel=0.15)  # of a uniform spread
    assert len(set(strategy.delays("dev-1"))) == 3


def test_reset_after_goes_to_the_backoff() -> None:
    assert ReconnectionStrategy(reset_after=7.0).backoff.reset_after == 7.0
    assert ReconnectionStrategy(reset_after=7.0, policy=NONE).backoff == Backoff(
        max_retries=0, reset_after=7.0
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: ReconnectionStrategy(-1),
        lambda: ReconnectionStrategy(initial_backoff=-1.0),
        lambda: ReconnectionStrategy(max_backoff=-1.0),
        lambda: ReconnectionStrategy(backoff_multiplier=0.5),
        lambda: ReconnectionStrategy(reset_after=-1.0),
        lambda: ReconnectionStrategy(policy="sometimes"),
    ],
)
def test_a_value_out_of_range_is_refused(make: Callable[[], ReconnectionStrategy]) -> None:
    with pytest.raises(InvalidSpec):
        make()


def test_its_settings_stay_as_they_were_made() -> None:
    strategy = ReconnectionStrategy()
    with pytest.raises(AttributeError):
        strategy.max_retries = 9
    assert strategy.max_retries == 5


@pytest.mark.trio
async def test_it_tries_until_the_device_is_back(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = Endpoint(dev=3)
    strategy = ReconnectionStrategy()
    with caplog.at_level(logging.WARNING, "aip_trio.resilience"):
        assert await strategy.attempt_reconnection(endpoint, "dev")
    assert endpoint.tries("dev") == [1.0, 3.0, 7.0, 15.0]
    assert strategy.retries("dev") == 0
    assert caplog.text.count("planted") == 3  # what no caller receives


@pytest.mark.trio
async def test_it_gives_up_after_max_retries(autojump_clock: MockClock) -> None:
    endpoint = Endpoint(dev=99)
    strategy = ReconnectionStrategy(3)
    assert not await strategy.attempt_reconnection(endpoint, "dev")
    assert endpoint.tries("dev") == [1.0, 3.0, 7.0]
    assert strategy.retries("dev") == 3
    strategy.reset("dev")
    assert strategy.retries("dev") == 0


@pytest.mark.trio
async def test_another_series_begins_anew(autojump_clock: MockClock) -> None:
    endpoint = Endpoint(dev=3)
    strategy = ReconnectionStrategy(2)
    assert not await strategy.attempt_reconnection(endpoint, "dev")
    assert await strategy.attempt_reconnection(endpoint, "dev")
    assert endpoint.tries("dev") == [1.0, 3.0, 4.0, 6.0]


@pytest.mark.trio
async def test_each_device_is_counted_by_itself(autojump_clock: MockClock) -> None:
    endpoint = Endpoint(a=2, b=99)
    strategy = ReconnectionStrategy(3)
    outcome: dict[str, bool] = {}

    async def attempt(device: str) -> None:
        outcome[device] = await strategy.attempt_reconnection(endpoint, device)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(attempt, "a")
        await trio.sleep(0.5)
        nursery.start_soon(attempt, "b")
    assert outcome == {"a": True, "b": False}
    assert endpoint.tries("a") == [1.0, 3.0, 7.0]
    assert endpoint.tries("b") == [1.5, 3.5, 7.5]
    assert (strategy.retries("a"), strategy.retries("b")) == (0, 3)
    strategy.reset()
    assert strategy.retries("b") == 0


@pytest.mark.trio
async def test_a_reset_gives_who_is_trying_the_full_number_again(autojump_clock: MockClock) -> None:
    endpoint = Endpoint(dev=4)
    strategy = ReconnectionStrategy(3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(strategy.attempt_reconnection, endpoint, "dev")
        await trio.sleep(4)  # two tries have failed
        strategy.reset()
    assert endpoint.tries("dev") == [1.0, 3.0, 7.0, 9.0, 13.0]


@pytest.mark.trio
@pytest.mark.parametrize(
    "error", [None, lambda: TimeoutError("planted"), lambda: OSError(24, "planted"), trio.TooSlowError]
)
async def test_false_and_timeouts_are_failed_tries(
    error: Callable[[], Exception] | None, autojump_clock: MockClock
) -> None:
    endpoint = Endpoint(dev=1)
    endpoint.error = error
    assert await ReconnectionStrategy().attempt_reconnection(endpoint, "dev")
    assert len(endpoint.tries("dev")) == 2


@pytest.mark.trio
async def test_a_mistake_goes_through_and_the_device_may_be_tried_again(autojump_clock: MockClock) -> None:
    endpoint = Endpoint(dev=1)
    endpoint.error = lambda: KeyError("planted")
    strategy = ReconnectionStrategy()
    with pytest.raises(KeyError, match="planted"):
        await strategy.attempt_reconnection(endpoint, "dev")
    assert await strategy.attempt_reconnection(endpoint, "dev")


@pytest.mark.trio
async def test_a_disconnection_is_handled_in_order(autojump_clock: MockClock) -> None:
    endpoint = Endpoint(dev=1)

    async def back() -> None:
        await trio.lowlevel.checkpoint()
        endpoint.note("back", "dev")

    assert await ReconnectionStrategy().handle_disconnection(endpoint, "dev", back)
    assert [(at, what) for at, what, _ in endpoint.told] == [
        (0.0, "cancel: device_disconnected"),
        (0.0, "disconnected"),
        (1.0, "try"),
        (3.0, "try"),
        (3.0, "back"),
    ]


@pytest.mark.trio
@pytest.mark.parametrize("policy", [NONE, IMMEDIATE])
async def test_who_does_not_come_back_is_not_called_back(
    policy: ReconnectionPolicy, autojump_clock: MockClock
) -> None:
    endpoint = Endpoint(dev=99)

    async def back() -> None:
        raise AssertionError("it is not back")

    strategy = ReconnectionStrategy(2, policy=policy)
    assert not await strategy.handle_disconnection(endpoint, "dev", back)
    assert [what for _, what, _ in endpoint.told[:2]] == ["cancel: device_disconnected", "disconnected"]
    assert len(endpoint.tries("dev")) == (0 if policy is NONE else 2)


@pytest.mark.trio
async def test_two_tasks_for_one_device_are_a_mistake(autojump_clock: MockClock) -> None:
    endpoint = Endpoint()
    strategy = ReconnectionStrategy()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(strategy.handle_disconnection, endpoint, "dev")
        await trio.sleep(0.5)
        with pytest.raises(ReconnectionUnderWay, match="'dev'"):
            await strategy.handle_disconnection(endpoint, "dev")
        with pytest.raises(ReconnectionUnderWay):
            await strategy.attempt_reconnection(endpoint, "dev")
        assert await strategy.attempt_reconnection(endpoint, "other")
    assert endpoint.tries("dev") == [1.0]


@pytest.mark.trio
async def test_the_callback_may_lose_the_connection_again(autojump_clock: MockClock) -> None:
    endpoint = Endpoint()
    strategy = ReconnectionStrategy()

    async def lost_again() -> None:
        assert await strategy.handle_disconnection(endpoint, "dev")

    assert await strategy.handle_disconnection(endpoint, "dev", lost_again)
    assert endpoint.tries("dev") == [1.0, 2.0]


def test_it_can_be_cancelled_anywhere() -> None:
    async def scenario(point: CancelPoint) -> None:
        endpoint = Endpoint(dev=2)
        strategy = ReconnectionStrategy()
        result = False
        with point:
            result = await strategy.handle_disconnection(endpoint, "dev")
        assert result != point.cancelled
        assert await strategy.attempt_reconnection(endpoint, "dev")  # nothing is left under way

    assert cancel_at_every_checkpoint(scenario) == 9  # 2 calls, begin, and 3 times: wait, try


def test_it_is_a_checkpoint_even_when_there_is_nothing_to_try() -> None:
    async def scenario(point: CancelPoint) -> None:
        with point:
            await ReconnectionStrategy(policy=NONE).attempt_reconnection(Endpoint(), "dev")

    assert cancel_at_every_checkpoint(scenario) == 1
