"""Waiting for room in a mailbox: who is let in, and when the waiting is over without."""

from collections.abc import Awaitable, Callable
from functools import partial

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    ActorRef,
    ChildSpec,
    Envelope,
    Reply,
    Shutdown,
    Step,
    Supervisor,
    handles,
    open_system,
)
from aip_trio.actors._mailbox import Mailbox
from aip_trio.errors import ActorStopped
from tests.actors.support import Count, Crash, Echo, Hold, Keeper, Owe, Put, busy, virtual
from tests.actors.test_observer import Recorder

# A sibling that does not come back before the waiting one has ended


@attrs.frozen
class Send:
    """Have it send this way; what it gets for it is written down."""

    send: Callable[[], Awaitable[object]]


class Sender(Keeper):
    """Writes down what its sending comes to, and when."""

    @handles
    async def send(self, message: Send) -> None:
        try:
            self.log.append(await message.send())
        except ActorStopped as error:
            self.log.append((error.actor, error.message, trio.current_time()))


async def crowd(ref: ActorRef, nursery: trio.Nursery) -> trio.Event:
    """Have it work until the gate opens, and then crash, and have somebody wait for room already."""
    gate = await busy(ref, nursery)
    ref.tell_nowait(Crash(KeyError("planted")))
    for number in range(3):
        ref.tell_nowait(Put(number))
    nursery.start_soon(ref.tell, Put("first to come in"))
    await wait_all_tasks_blocked()
    return gate


@pytest.mark.parametrize("shutdown", [5.0, "infinity"])
@pytest.mark.parametrize("ask", [False, True])
@virtual
async def test_a_group_does_not_wait_for_a_member_that_waits_for_room_at_the_crashed_one(
    ask: bool, shutdown: Shutdown
) -> None:
    log: list[object] = []
    full = ChildSpec("full", Keeper, mailbox=4)
    sender = ChildSpec("sender", Sender, log, shutdown=shutdown)
    message = Echo("too much")
    async with open_system() as system, trio.open_nursery() as nursery:
        group = await system.spawn(partial(Supervisor, full, sender, strategy="one_for_all"), name="group")
        full_ref, sender_ref = (child.ref for child in group.which_children())
        gate = await crowd(full_ref, nursery)
        await sender_ref.tell(Send(partial(full_ref.ask if ask else full_ref.tell, message)))
        await trio.sleep(1)
        gate.set()
        assert await full_ref.ask(Count()) == 4
        assert trio.current_time() == 1
        assert log[0] == ("/group/full", message, 1)


@virtual
async def test_one_that_is_told_to_stop_already_does_not_begin_to_wait_for_room() -> None:
    log: list[object] = []
    gates: list[trio.Event] = []

    async def late(full: ActorRef) -> None:
        await trio.sleep(2)  # by then the group is being stopped
        gates.append(trio.Event())
        await full.tell(Put("too much"))

    full = ChildSpec("full", Keeper, mailbox=4)
    async with open_system() as system, trio.open_nursery() as nursery:
        specs = full, ChildSpec("sender", Sender, log, shutdown="infinity")
        group = await system.spawn(partial(Supervisor, *specs, strategy="one_for_all"), name="group")
        full_ref, sender_ref = (child.ref for child in group.which_children())
        gate = await crowd(full_ref, nursery)
        nursery.start_soon(full_ref.tell, Put("next to come in"))
        await sender_ref.tell(Send(partial(late, full_ref)))
        await trio.sleep(1)
        gate.set()
        await full_ref.ask(Count())
        assert log[0] == ("/group/full", Put("too much"), 2)
        assert len(gates) == 1


@pytest.mark.parametrize("ask", [False, True])
@virtual
async def test_one_that_is_being_stopped_is_let_go_when_the_other_one_crashes(ask: bool) -> None:
    """The earlier member crashes while the group's restart stops the later one, which waits for it."""
    log: list[object] = []
    specs = (
        ChildSpec("earlier", Keeper, mailbox=4),
        ChildSpec("later", Sender, log, shutdown="infinity"),
        ChildSpec("last", Keeper),
    )
    message = Echo("too much")
    async with open_system() as system, trio.open_nursery() as nursery:
        group = await system.spawn(partial(Supervisor, *specs, strategy="one_for_all"), name="group")
        earlier, later, last = (child.ref for child in group.which_children())
        gate = await (busy if ask else crowd)(earlier, nursery)
        if ask:  # its request waits in the mailbox, not for room
            earlier.tell_nowait(Crash(KeyError("planted")))
        await later.tell(Send(partial(earlier.ask if ask else earlier.tell, message)))
        await wait_all_tasks_blocked()
        last.tell_nowait(Crash(KeyError("planted")))
        await trio.sleep(1)
        assert later._cell.told_to_stop
        gate.set()
        await earlier.ask(Count())
        assert log[0] == ("/group/earlier", message if not ask else None, 1)
        assert trio.current_time() == 1


# Requests whose askers have gone


@virtual
async def test_a_teller_is_let_in_as_soon_as_a_waiting_request_is_withdrawn() -> None:
    log: list[object] = []
    recorder = Recorder()
    async with open_system(observer=recorder) as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=1)
        gate = await busy(keeper, nursery)

        async def ask() -> None:
            with trio.move_on_after(1):
                await keeper.ask(Echo("withdrawn"))

        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        await keeper.tell(Put("let in"))
        assert trio.current_time() == 1
        assert recorder.of(Echo("withdrawn")) == [Step.SENT, Step.SKIPPED]
        gate.set()
        await keeper.ask(Count())
        assert log == ["let in"]


@virtual
async def test_very_many_withdrawn_at_once_make_room_at_once() -> None:
    looks: list[None] = []

    class Looking(Mailbox):
        __slots__ = ()

        def sweep(self) -> list[Envelope]:
            looks.append(None)
            return super().sweep()

    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, mailbox=300)
        gate = await busy(keeper, nursery)
        keeper._cell.mailbox.__class__ = Looking

        async def ask() -> None:
            with trio.move_on_after(1):
                await keeper.ask(Echo("withdrawn"))

        for _ in range(300):
            nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        async with trio.open_nursery() as tellers:
            for number in range(300):
                tellers.start_soon(keeper.tell, Put(number))
        assert trio.current_time() == 1
        assert len(looks) < 10
        gate.set()


@virtual
async def test_a_request_that_is_in_hand_or_owed_leaves_no_room() -> None:
    log: list[object] = []
    replies: list[Reply[str]] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=1)

        async def ask(message: Owe | Hold) -> None:
            with trio.move_on_after(1):
                await keeper.ask(message)

        nursery.start_soon(ask, Owe(replies))
        await wait_all_tasks_blocked()
        gate = trio.Event()
        nursery.start_soon(ask, Hold(gate))
        await wait_all_tasks_blocked()
        keeper.tell_nowait(Put("in"))
        nursery.start_soon(keeper.tell, Put("outside"))
        await trio.sleep(2)
        assert keeper._cell.mailbox.crowded
        gate.set()
        await keeper.ask(Count())
        assert log == ["in", "outside"]
