import pytest
import trio

from aip_trio.errors import UsageError
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint


def test_a_lock_is_never_left_locked() -> None:
    outcomes: list[bool] = []

    async def scenario(point: CancelPoint) -> None:
        lock = trio.Lock()

        async def hold() -> None:
            async with lock:
                await trio.sleep(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold)
            await trio.testing.wait_all_tasks_blocked()
            with point:
                async with lock:
                    await trio.sleep(1)
            outcomes.append(point.cancelled)
        assert not lock.locked()

    assert cancel_at_every_checkpoint(scenario) == 2
    # before; waiting for the lock, and given it; in the sleep, and as it ends; not at all
    assert outcomes == [True, True, True, True, True, False]


def test_a_memory_channel_loses_nothing() -> None:
    async def scenario(point: CancelPoint) -> None:
        send, receive = trio.open_memory_channel[int](0)
        got: list[int] = []

        async def consume() -> None:
            async for item in receive:
                got.append(item)  # noqa: PERF401 - one at a time, so that a cancellation shows what has come

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send.send, 1)
            await trio.testing.wait_all_tasks_blocked()
            with point:
                got.append(await receive.receive())
            if not got:
                nursery.start_soon(consume)
            await trio.testing.wait_all_tasks_blocked()
            send.close()
        assert got == [1]

    assert cancel_at_every_checkpoint(scenario) == 1


async def losing_relay(source: trio.MemoryReceiveChannel[int], sink: trio.MemorySendChannel[int]) -> None:
    """Broken: between receive and send the item is nobody's."""
    item = await source.receive()
    await sink.send(item)


def test_a_relay_that_loses_its_item_when_cancelled_is_found() -> None:
    async def scenario(point: CancelPoint) -> None:
        source, received = trio.open_memory_channel[int](1)
        sink, relayed = trio.open_memory_channel[int](1)
        source.send_nowait(1)
        with point:
            await losing_relay(received, sink)
        waiting = received.statistics().current_buffer_used + relayed.statistics().current_buffer_used
        assert waiting == 1, "lost"

    with pytest.raises(AssertionError, match="lost") as raised:
        cancel_at_every_checkpoint(scenario)
    (note,) = raised.value.__notes__
    assert note.startswith("cancel_at_every_checkpoint: moment=1, cancelled as it began to wait in ")
    assert "< losing_relay (test_cancel.py:" in note
    assert "< scenario (test_cancel.py:" in note


def test_a_loss_in_the_gap_between_the_wake_up_and_the_next_step_is_found() -> None:
    """A waiting receive may be cut off here; one whose item has come may not, and loses it."""

    async def scenario(point: CancelPoint) -> None:
        send, receive = trio.open_memory_channel[int](1)
        kept: list[int] = []

        async def careless() -> None:
            item = await receive.receive()
            await trio.lowlevel.checkpoint_if_cancelled()
            kept.append(item)

        async def feed() -> None:
            await trio.sleep(1)
            send.send_nowait(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed)
            with point:
                await careless()
        assert len(kept) + receive.statistics().current_buffer_used == 1, "lost"

    with pytest.raises(AssertionError, match="lost") as raised:
        cancel_at_every_checkpoint(scenario)
    assert "moment=2, cancelled as it resumed in " in raised.value.__notes__[0]


def test_check_is_called_after_each_attempt_and_its_failure_names_the_moment() -> None:
    checks: list[None] = []

    async def scenario(point: CancelPoint) -> None:
        with point:
            await trio.sleep(1)
            await trio.sleep(1)

    def check() -> None:
        checks.append(None)
        assert len(checks) < 4

    assert cancel_at_every_checkpoint(scenario, check=lambda: checks.append(None)) == 2
    assert len(checks) == 6  # before, two moments for each checkpoint, and once uncancelled
    checks.clear()
    with pytest.raises(AssertionError) as raised:
        cancel_at_every_checkpoint(scenario, check=check)
    assert "moment=3, cancelled as it began to wait" in raised.value.__notes__[0]


def test_only_the_checkpoints_of_the_calling_task_count() -> None:
    async def busy() -> None:
        for _ in range(20):
            await trio.lowlevel.checkpoint()

    async def scenario(point: CancelPoint) -> None:
        with point:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(busy)

    assert cancel_at_every_checkpoint(scenario) == 1


def test_what_is_outside_of_the_point_is_never_cancelled() -> None:
    finished: list[bool] = []

    async def scenario(point: CancelPoint) -> None:
        await trio.sleep(1)
        with point:
            await trio.sleep(1)
        await trio.sleep(1)
        finished.append(point.cancelled)

    cancel_at_every_checkpoint(scenario)
    assert finished == [True, True, True, False]


def test_a_call_that_swallows_its_cancellation_is_found() -> None:
    swallowed: list[bool] = []

    async def scenario(point: CancelPoint) -> None:
        with point:
            try:
                await trio.sleep(1)
            except trio.Cancelled:  # noqa: ASYNC103 - the planted bug
                swallowed.append(True)

    with pytest.raises(AssertionError, match=r"no checkpoint, or it swallows trio.Cancelled"):
        cancel_at_every_checkpoint(scenario)
    assert swallowed == [True]


def test_a_call_that_is_no_checkpoint_is_found() -> None:
    async def scenario(point: CancelPoint) -> None:
        await trio.lowlevel.checkpoint()
        with point:
            pass

    with pytest.raises(AssertionError, match="it is no checkpoint"):
        cancel_at_every_checkpoint(scenario)


def test_an_attempt_that_hangs_is_too_slow() -> None:
    async def scenario(point: CancelPoint) -> None:
        lock = trio.Semaphore(1)
        with point:
            await lock.acquire()
            await trio.sleep(1)
            lock.release()
        async with lock:  # taken for ever where the sleep was cut off
            pass

    with pytest.raises(trio.TooSlowError) as raised:
        cancel_at_every_checkpoint(scenario, patience=10)
    assert "< scenario (test_cancel.py:" in raised.value.__notes__[0]


def test_a_call_with_too_many_checkpoints_is_given_up() -> None:
    async def scenario(point: CancelPoint) -> None:
        with point:
            for _ in range(4):
                await trio.lowlevel.checkpoint()

    assert cancel_at_every_checkpoint(scenario, max_checkpoints=4) == 4
    with pytest.raises(AssertionError, match=r"more than max_checkpoints=3: "):
        cancel_at_every_checkpoint(scenario, max_checkpoints=3)


def test_a_scenario_that_does_not_enter_its_point_is_refused() -> None:
    async def scenario(point: CancelPoint) -> None:
        await trio.sleep(1)

    with pytest.raises(UsageError, match="did not enter its point"):
        cancel_at_every_checkpoint(scenario)


def test_real_time_is_there_for_scenarios_that_wait_for_threads() -> None:
    async def scenario(point: CancelPoint) -> None:
        before = trio.current_time()
        with point:
            await trio.to_thread.run_sync(lambda: None)
        assert trio.current_time() - before < 5, "the clock jumped"

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_each_attempt_starts_at_the_same_virtual_time() -> None:
    starts: list[float] = []

    async def scenario(point: CancelPoint) -> None:
        starts.append(trio.current_time())
        with point:
            await trio.sleep(1)

    cancel_at_every_checkpoint(scenario)
    assert set(starts) == {0.0}
