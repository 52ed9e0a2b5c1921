import logging
import math

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.errors import InvalidSpec, NoNursery
from aip_trio.resilience import HeartbeatManager
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint


class Wire:
    """Notes who sent a heartbeat when; fails, or takes long, where told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, str]] = []
        self.connected = True
        self.error: Exception | None = None
        self.takes = 0.0

    def is_connected(self) -> bool:
        return self.connected

    async def send_heartbeat(self, client_id: str) -> None:
        await trio.sleep(self.takes)
        if self.error is not None:
            raise self.error
        self.sent.append((trio.current_time(), client_id))


@pytest.mark.trio
async def test_heartbeats_go_out_at_each_clients_interval(autojump_clock: MockClock) -> None:
    wire = Wire()
    async with HeartbeatManager(wire, 10.0) as manager:
        await manager.start_heartbeat("slow")
        await manager.start_heartbeat("fast", 4.0)
        assert (manager.get_interval("slow"), manager.get_interval("fast")) == (10.0, 4.0)
        await trio.sleep(20.5)
    assert [at for at, client in wire.sent if client == "slow"] == [10.0, 20.0]
    assert [at for at, client in wire.sent if client == "fast"] == [4.0, 8.0, 12.0, 16.0, 20.0]


@pytest.mark.trio
async def test_leaving_the_block_ends_them(autojump_clock: MockClock) -> None:
    wire = Wire()
    async with HeartbeatManager(wire, 10.0) as manager:
        await manager.start_heartbeat("dev")
        assert manager.is_running("dev")
    assert not manager.is_running("dev")
    await trio.sleep(50)
    assert wire.sent == []


@pytest.mark.trio
async def test_stop_ends_one_and_stop_all_the_rest(autojump_clock: MockClock) -> None:
    wire = Wire()
    async with HeartbeatManager(wire, 10.0) as manager:
        for client in ("a", "b", "c"):
            await manager.start_heartbeat(client)
        await manager.stop_heartbeat("a")
        await manager.stop_heartbeat("a")  # again: nothing to do
        assert [manager.is_running(client) for client in "abc"] == [False, True, True]
        assert manager.get_interval("a") is None
        await trio.sleep(11)
        await manager.stop_all()
        assert [manager.is_running(client) for client in "abc"] == [False, False, False]
        await trio.sleep(50)
    assert sorted(wire.sent) == [(10.0, "b"), (10.0, "c")]


@pytest.mark.trio
async def test_stop_returns_when_the_task_has_ended(autojump_clock: MockClock) -> None:
    wire = Wire()
    wire.takes = 5.0
    async with trio.open_nursery() as nursery:
        manager = HeartbeatManager(wire, 10.0, nursery=nursery)
        await manager.start_heartbeat("dev")
        await trio.sleep(11)  # it is sending
        await manager.stop_heartbeat("dev")
        assert not nursery.child_tasks
    assert wire.sent == []


@pytest.mark.trio
async def test_a_second_start_replaces_the_interval(autojump_clock: MockClock) -> None:
    wire = Wire()
    async with HeartbeatManager(wire, 10.0) as manager:
        await manager.start_heartbeat("dev")
        await trio.sleep(5)
        await manager.start_heartbeat("dev", 2.0)
        assert manager.get_interval("dev") == 2.0
        await trio.sleep(5)
    assert [at for at, _ in wire.sent] == [7.0, 9.0]


@pytest.mark.trio
async def test_starts_at_the_same_time_leave_one_task(autojump_clock: MockClock) -> None:
    wire = Wire()
    async with HeartbeatManager(wire, 10.0) as manager:
        async with trio.open_nursery() as starters:
            for seconds in (5.0, 6.0, 7.0):
                starters.start_soon(manager.start_heartbeat, "dev", seconds)
        interval = manager.get_interval("dev")
        assert interval is not None
        await trio.sleep(1.5 * interval)
    assert wire.sent == [(interval, "dev")]


@pytest.mark.trio
async def test_a_connection_that_is_down_is_skipped_and_one_that_breaks_is_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    wire = Wire()
    wire.connected = False
    async with HeartbeatManager(wire, 10.0) as manager:
        await manager.start_heartbeat("dev")
        await trio.sleep(11)
        wire.connected, wire.error = True, ConnectionResetError("planted")
        with caplog.at_level(logging.WARNING, "aip_trio.resilience"):
            await trio.sleep(10)
        assert "planted" in caplog.text
        wire.error = None
        await trio.sleep(10)
        assert manager.is_running("dev")
    assert wire.sent == [(30.0, "dev")]


@pytest.mark.trio
async def test_a_mistake_in_the_protocol_cancels_the_body_and_leaves_bare(autojump_clock: MockClock) -> None:
    wire = Wire()
    wire.error = KeyError("planted")
    wire.error.__cause__ = cause = ValueError()
    manager = HeartbeatManager(wire, 10.0)
    with pytest.raises(KeyError, match="planted") as raised:
        async with manager:
            await manager.start_heartbeat("dev")
            await trio.sleep_forever()
    assert raised.value.__cause__ is cause
    assert not manager.is_running("dev")


@pytest.mark.trio
async def test_an_error_of_the_body_leaves_bare(autojump_clock: MockClock) -> None:
    with pytest.raises(KeyError, match="body"):
        async with HeartbeatManager(Wire()) as manager:
            await manager.start_heartbeat("dev")
            raise KeyError("body")


@pytest.mark.trio
async def test_errors_of_both_leave_as_a_group(autojump_clock: MockClock) -> None:
    wire = Wire()
    wire.error = KeyError("beat")
    with pytest.RaisesGroup(KeyError, ValueError):
        async with HeartbeatManager(wire, 1.0) as manager:
            await manager.start_heartbeat("dev")
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("body")


@pytest.mark.trio
async def test_a_slow_send_is_not_made_up_for(autojump_clock: MockClock) -> None:
    wire = Wire()
    async with HeartbeatManager(wire, 10.0) as manager:
        wire.takes = 35.0
        await manager.start_heartbeat("dev")
        await trio.sleep(46)
        wire.takes = 5.0  # within an interval: the next one is on time
        await trio.sleep(30)
    assert [at for at, _ in wire.sent] == [45.0, 60.0, 70.0]


@pytest.mark.trio
async def test_outside_of_its_block_it_needs_a_nursery() -> None:
    manager = HeartbeatManager(Wire())
    with pytest.raises(NoNursery, match="async with HeartbeatManager"):
        await manager.start_heartbeat("dev")
    assert not manager.is_running("dev")


@pytest.mark.trio
@pytest.mark.parametrize("interval", [0, -1.0, math.nan, math.inf, "5"])
async def test_an_interval_is_seconds_more_than_0(interval: float) -> None:
    with pytest.raises(InvalidSpec, match="default_interval"):
        HeartbeatManager(Wire(), interval)
    async with HeartbeatManager(Wire()) as manager:
        await manager.start_heartbeat("dev", 5.0)
        with pytest.raises(InvalidSpec, match="interval"):
            await manager.start_heartbeat("dev", interval)
        assert manager.get_interval("dev") == 5.0  # as it was


def test_every_call_can_be_cancelled_anywhere() -> None:
    async def start(manager: HeartbeatManager) -> None:
        await manager.start_heartbeat("dev", 2.0)

    async def stop(manager: HeartbeatManager) -> None:
        await manager.stop_heartbeat("dev")

    for call, expected in ((start, 2.0), (stop, None), (HeartbeatManager.stop_all, None)):

        async def scenario(point: CancelPoint) -> None:
            wire = Wire()
            async with HeartbeatManager(wire, 10.0) as manager:
                await manager.start_heartbeat("dev")
                await wait_all_tasks_blocked()
                with point:
                    await call(manager)  # noqa: B023 - awaited in this turn of the loop
                interval = manager.get_interval("dev")
                assert interval in (10.0, None, expected)  # noqa: B023
                await trio.sleep(10.5)
                assert bool(wire.sent) == (interval is not None)

        assert cancel_at_every_checkpoint(scenario) >= 1


def test_the_block_can_be_cancelled_anywhere() -> None:
    async def scenario(point: CancelPoint) -> None:
        wire = Wire()
        manager = HeartbeatManager(wire, 10.0)
        with point:
            async with manager:
                await manager.start_heartbeat("dev")
                await trio.sleep(25)
        assert not manager.is_running("dev")
        seen = len(wire.sent)
        await trio.sleep(30)
        assert len(wire.sent) == seen

    assert cancel_at_every_checkpoint(scenario) >= 3
