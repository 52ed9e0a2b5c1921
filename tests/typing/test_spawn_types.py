"""What the type checkers make of spawn: checked by them, and run so that the lines are true as well."""

from functools import partial
from typing import assert_type

from aip_trio.actors import (
    Actor,
    ActorRef,
    ActorSystem,
    Backoff,
    ChildSpec,
    Supervisor,
    SupervisorRef,
    open_system,
)
from tests.actors.support import virtual


class Nothing(Actor):
    """Takes no arguments."""


class Account(Actor):
    def __init__(self, opening: int, owner: str) -> None:
        self.balance, self.owner = opening, owner


class Fleet(Supervisor):
    def __init__(self, size: int) -> None:
        super().__init__(*(ChildSpec(f"n{number}", Nothing) for number in range(size)))


def make(opening: int) -> Account:
    return Account(opening, "made")


def make_fleet() -> Fleet:
    return Fleet(1)


class Parent(Actor):
    async def started(self) -> None:
        assert_type(await self.spawn(Account, 1, "a"), ActorRef)
        assert_type(await self.spawn(Fleet, 2), SupervisorRef)


@virtual
async def test_an_actor_gives_a_ref_and_a_supervisor_one_with_its_calls() -> None:
    async with open_system() as system:
        assert type(assert_type(await system.spawn(Account, 1, "a"), ActorRef)) is ActorRef
        assert type(assert_type(await system.spawn(Nothing), ActorRef)) is ActorRef
        fleet = assert_type(await system.spawn(Fleet, 2), SupervisorRef)
        assert type(fleet) is SupervisorRef
        assert assert_type(await fleet.start_child(ChildSpec("one", Nothing)), ActorRef).name == "one"
        await system.spawn(Parent)


@virtual
async def test_any_factory_will_do() -> None:
    async with open_system() as system:
        assert type(assert_type(await system.spawn(make, 1), ActorRef)) is ActorRef
        assert type(assert_type(await system.spawn(make_fleet), SupervisorRef)) is SupervisorRef
        assert type(await system.spawn(partial(make, 1))) is ActorRef
        assert type(await system.spawn(lambda: Account(1, "a"))) is ActorRef
        plain = await system.spawn(partial(Supervisor, intensity=1))
        assert type(assert_type(plain, SupervisorRef)) is SupervisorRef
        one = assert_type(await system.spawn(Supervisor, ChildSpec("n", Nothing)), SupervisorRef)
        assert len(one.which_children()) == 1


@virtual
async def test_options_are_keywords() -> None:
    async with open_system() as system:
        ref = await system.spawn(
            Account,
            1,
            "a",
            name="account",
            restart="permanent",
            shutdown="brutal",
            backoff=Backoff(),
            mailbox=8,
            overflow="reject",
        )
        assert_type(ref, ActorRef)
        assert ref.name == "account"


async def refused_spawns(system: ActorSystem) -> None:
    """Never run: each line is refused by both checkers, or they report an ignore without need."""
    await system.spawn(Account)  # type: ignore[arg-type,call-arg]  # pyright: ignore
    await system.spawn(Account, 1)  # type: ignore[arg-type]  # pyright: ignore
    await system.spawn(Account, "a", 1)  # type: ignore[arg-type,call-arg]  # pyright: ignore
    await system.spawn(Account, 1, "a", 2)  # type: ignore[arg-type,call-arg]  # pyright: ignore
    await system.spawn(Nothing, 1)  # type: ignore[arg-type]  # pyright: ignore
    await system.spawn(Fleet, "two")  # type: ignore[arg-type]  # pyright: ignore
    await system.spawn(make, "a")  # type: ignore[arg-type]  # pyright: ignore
    await system.spawn(int)  # type: ignore[arg-type,call-arg]  # pyright: ignore
    await system.spawn("Account")  # type: ignore[call-overload]  # pyright: ignore
    await system.spawn(Nothing, restart="always")  # type: ignore[call-arg,call-overload]  # pyright: ignore
    await system.spawn(Nothing, color="red")  # type: ignore[call-overload]  # pyright: ignore
    await system.spawn(Nothing, name=3)  # type: ignore[call-arg,call-overload]  # pyright: ignore
