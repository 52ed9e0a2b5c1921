import pytest
import trio

from aip_trio.cli.demo._damage import Damage
from aip_trio.cli.demo._strike import Strike

DEVICES = ("a", "b")


def damage(strike: Strike | None, killed: list[str] | None = None) -> Damage:
    async def kill(name: str) -> int:
        await trio.lowlevel.checkpoint()
        (killed if killed is not None else []).append(name)
        return 42

    return Damage(strike, DEVICES, kill)


def test_a_device_is_struck_when_enough_tasks_have_left_for_it() -> None:
    plan = damage(Strike("b", 1, 0.0))
    assert not plan.due("b", last=False)
    assert not plan.due("a", last=False)
    assert not plan.due("a", last=False)
    assert plan.due("b", last=False)
    assert not plan.due("b", last=False)  # once


def test_a_server_counts_all_tasks() -> None:
    plan = damage(Strike("server", 2, 0.0))
    assert [plan.due(device, last=False) for device in "aabb"] == [False, False, True, False]


def test_the_last_task_of_the_victim_is_the_last_chance() -> None:
    plan = damage(Strike("b", 100, 0.0))
    assert not plan.due("a", last=True)
    assert plan.due("b", last=True)


def test_in_peace_nothing_is_due_and_nobody_missing() -> None:
    plan = damage(None)
    assert not plan.due("a", last=True)
    plan.served("a", 1.0)
    assert plan.missing == []
    assert plan.recovery is None


@pytest.mark.trio
async def test_recovery_ends_when_all_that_were_hit_have_answered_to_what_left_later(
    autojump_clock: trio.testing.MockClock,
) -> None:
    killed: list[str] = []
    plan = damage(Strike("server", 0, 0.5), killed)
    assert plan.due("a", last=False)
    before = trio.current_time()
    assert plan.missing == []
    await plan.strike()
    assert trio.current_time() == before + 0.5
    assert killed == ["server"]
    assert plan.killed == "server (pid 42)"
    plan.served("a", before)  # it had left before
    assert plan.missing == ["a", "b"]
    await trio.sleep(1)
    plan.served("a", trio.current_time())
    assert plan.recovery is None
    await trio.sleep(1)
    plan.served("a", trio.current_time())
    plan.served("b", trio.current_time())
    assert plan.missing == []
    assert plan.recovery == 2.0


@pytest.mark.trio
async def test_of_a_device_its_own_return_counts(autojump_clock: trio.testing.MockClock) -> None:
    plan = damage(Strike("b", 0, 0.0))
    assert plan.due("b", last=False)
    await plan.strike()
    await trio.sleep(1)
    plan.served("a", trio.current_time())
    assert plan.missing == ["b"]
    plan.served("b", trio.current_time())
    assert plan.recovery == 1.0
