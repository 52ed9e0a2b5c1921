"""Calls that wait behind a group's restart: whom they are for, and what becomes of them."""

import logging
from collections.abc import Awaitable
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    ActorSystem,
    ChildSpec,
    ChildState,
    StopReason,
    Supervisor,
    SupervisorRef,
    open_system,
)
from aip_trio.errors import ActorStopped, ChildNotFound, NotRunning, StartFailed
from tests.actors.support import Crash, Echo, Keeper, virtual


class Slow(Keeper):
    """Takes a second for its end."""

    async def stopping(self, reason: StopReason | BaseException) -> None:
        await trio.sleep(1)


async def restarting(system: ActorSystem) -> SupervisorRef:
    """A group that is being restarted: until 1 s from now it waits for the end of ``temporary``."""
    crashes = ChildSpec("crashes", Keeper)
    temporary = ChildSpec("temporary", Slow, restart="temporary")
    group = await system.spawn(partial(Supervisor, crashes, temporary, strategy="one_for_all"), name="group")
    group.which_children()[0].ref.tell_nowait(Crash(KeyError("planted")))
    await wait_all_tasks_blocked()
    assert group.which_children()[1].state is ChildState.STOPPING
    return group


@virtual
async def test_a_stop_is_done_where_the_restart_has_forgotten_the_actor() -> None:
    async with open_system() as system:
        group = await restarting(system)
        await group.which_children()[1].ref.stop()
        assert trio.current_time() == 1
        assert [child.name for child in group.which_children()] == ["crashes"]


@virtual
async def test_a_stop_does_not_hit_a_namesake() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        group = await restarting(system)
        old = group.which_children()[1].ref
        nursery.start_soon(group.start_child, ChildSpec("temporary", Keeper))
        await wait_all_tasks_blocked()
        await old.stop()
        await wait_all_tasks_blocked()
        new = group.which_children()[1].ref
        assert new != old
        assert await new.ask(Echo("it lives")) == "it lives"


@virtual
async def test_a_stop_waits_with_a_supervisor_that_stops() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        group = await restarting(system)
        temporary = group.which_children()[1].ref
        nursery.start_soon(temporary.stop)
        await wait_all_tasks_blocked()
        await group.stop()
        assert trio.current_time() == 1


@virtual
async def test_a_stop_of_one_that_awaits_its_restart_waits_with_a_supervisor_that_stops() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        group = await restarting(system)
        nursery.start_soon(group.which_children()[0].ref.stop)
        await wait_all_tasks_blocked()
        await group.stop()


@virtual
async def test_calls_by_ref_do_not_hit_a_namesake() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        group = await restarting(system)
        old = group.which_children()[1].ref
        nursery.start_soon(group.start_child, ChildSpec("temporary", Keeper))
        await wait_all_tasks_blocked()
        nursery.start_soon(group.terminate_child, old)
        nursery.start_soon(refused, group.delete_child(old))
        await refused(group.restart_child(old))
        await wait_all_tasks_blocked()
        assert group.which_children()[1].state is ChildState.RUNNING


async def refused(call: Awaitable[object]) -> None:
    with pytest.raises(ChildNotFound) as raised:
        await call
    assert raised.value.name == "temporary"


@virtual
async def test_a_name_is_whose_it_is_when_the_call_is_performed() -> None:
    """As in OTP, where the supervisor takes one call after another."""
    stopped: list[ActorStopped] = []

    async def start() -> None:
        with pytest.raises(ActorStopped) as raised:
            await group.start_child(ChildSpec("temporary", Keeper))
        stopped.append(raised.value)

    async with open_system() as system, trio.open_nursery() as nursery:
        group = await restarting(system)
        nursery.start_soon(start)
        await wait_all_tasks_blocked()
        await group.terminate_child("temporary")
    assert [error.actor for error in stopped] == ["/group/temporary"]


@virtual
async def test_the_ref_of_another_supervisors_child_is_refused_at_once() -> None:
    async with open_system() as system:
        group = await restarting(system)
        stranger = await system.spawn(Keeper, name="temporary")
        for call in (group.terminate_child, group.restart_child, group.delete_child):
            await refused(call(stranger))
        with pytest.raises(ChildNotFound):
            group.child_spec(stranger)
        assert trio.current_time() == 0


@virtual
async def test_a_call_by_name_is_refused_by_a_supervisor_that_stops() -> None:
    refusals: list[NotRunning] = []

    async def terminate() -> None:
        with pytest.raises(NotRunning) as raised:
            await group.terminate_child("temporary")
        refusals.append(raised.value)

    async with open_system() as system, trio.open_nursery() as nursery:
        group = await restarting(system)
        nursery.start_soon(terminate)
        await wait_all_tasks_blocked()
        await group.stop()
    assert [refusal.actor for refusal in refusals] == ["/group"]


@pytest.mark.parametrize("cancelled", [True, False])
@virtual
async def test_a_start_that_fails_is_told_its_caller_or_else_logged(
    cancelled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Fails(Keeper):
        async def started(self) -> None:
            if trio.current_time():
                await trio.sleep(1)
                raise ZeroDivisionError("planted")

    async with open_system() as system:
        group = await system.spawn(partial(Supervisor, ChildSpec("fails", Fails)))
        await group.terminate_child("fails")
        await trio.sleep(1)
        if cancelled:
            with trio.move_on_after(0.5):
                await group.restart_child("fails")
            await trio.sleep(1)
        else:
            with pytest.raises(StartFailed):
                await group.restart_child("fails")
        assert group.which_children()[0].state is ChildState.IDLE
    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert logged == ([f"{group.path}/fails crashed"] if cancelled else [])
