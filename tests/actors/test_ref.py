import attrs
import pytest

from aip_trio.actors import (
    Actor,
    ActorRef,
    Address,
    ChildSpec,
    Supervisor,
    SupervisorRef,
    handles,
    open_system,
    wire_name,
)
from tests.actors.support import Count, Crash, Keeper, Quit, virtual


class Nest(Actor):
    async def started(self) -> None:
        await self.spawn(Keeper, name="egg")


@virtual
async def test_refs_of_one_actor_are_equal_and_hash_alike() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        other = await system.spawn(Keeper, name="other")
        found = system.find("/keeper")
        assert found == keeper
        assert hash(found) == hash(keeper)
        assert len({found, keeper, other}) == 2
        assert keeper != other
        assert keeper != "/keeper"


@virtual
async def test_refs_of_two_systems_differ_although_their_uids_agree() -> None:
    async with open_system() as one, open_system() as two:
        first, second = await one.spawn(Keeper, name="k"), await two.spawn(Keeper, name="k")
        assert first.uid == second.uid
        assert first != second
        assert hash(first) != hash(second)
        assert one.id != two.id


@virtual
async def test_ref_and_uid_survive_a_restart() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        uid = keeper.uid
        await keeper.tell(Crash(KeyError("planted")))
        assert await keeper.ask(Count()) == 0
        assert system.find("/keeper") == keeper
        assert keeper.uid == uid


@virtual
async def test_a_successor_of_the_same_name_is_another_actor() -> None:
    async with open_system() as system:
        first = await system.spawn(Keeper, name="keeper")
        await first.stop()
        second = await system.spawn(Keeper, name="keeper")
        assert first != second
        assert first.uid != second.uid
        assert first.path == second.path


@virtual
async def test_a_ref_tells_where_its_actor_stands() -> None:
    async with open_system() as system:
        nest = await system.spawn(Nest, name="nest")
        egg = system.find("/nest/egg")
        assert egg is not None
        assert (nest.path, nest.name) == ("/nest", "nest")
        assert (egg.path, egg.name) == ("/nest/egg", "egg")
        assert repr(egg) == f"<ActorRef /nest/egg uid={egg.uid}>"


@virtual
async def test_a_name_is_made_from_the_factory_where_none_is_given() -> None:
    def make() -> Keeper:
        return Keeper()

    async with open_system() as system:
        refs = [await system.spawn(Keeper), await system.spawn(Keeper), await system.spawn(make)]
        assert len({ref.name for ref in refs}) == 3
        assert [ref.name.rpartition("-")[0] for ref in refs] == ["Keeper", "Keeper", "make"]


@virtual
async def test_an_address_is_plain_data_and_resolves_to_the_ref() -> None:
    async with open_system() as system:
        await system.spawn(Nest, name="nest")
        egg = system.find("/nest/egg")
        assert egg is not None
        address = egg.address
        assert address == Address(system.id, egg.uid, "/nest/egg")
        assert system.resolve(Address(**attrs.asdict(address))) == egg


@virtual
async def test_an_address_of_an_ended_actor_resolves_to_nothing_and_not_to_its_successor() -> None:
    async with open_system() as system:
        first = await system.spawn(Keeper, name="keeper")
        await first.stop()
        assert system.resolve(first.address) is None
        second = await system.spawn(Keeper, name="keeper")
        assert system.resolve(first.address) is None
        assert system.resolve(second.address) == second


@virtual
async def test_an_address_of_another_system_resolves_to_nothing() -> None:
    async with open_system() as one, open_system() as two:
        keeper = await one.spawn(Keeper, name="keeper")
        await two.spawn(Keeper, name="keeper")
        assert two.resolve(keeper.address) is None


@pytest.mark.parametrize("path", ["/", "", "/nobody", "/nest/nobody", "/nest/egg/deeper", "//"])
@virtual
async def test_find_finds_nothing_where_nobody_stands(path: str) -> None:
    async with open_system() as system:
        await system.spawn(Nest, name="nest")
        assert system.find(path) is None


@virtual
async def test_an_actor_knows_its_own_ref_and_path_and_system() -> None:
    seen: list[object] = []

    class Self(Keeper):
        async def started(self) -> None:
            seen.extend((self.ref, self.path, self.system))

    async with open_system() as system:
        ref = await system.spawn(Self, name="self")
        assert seen == [ref, "/self", system]


@virtual
async def test_a_supervisor_has_a_ref_with_its_calls() -> None:
    async with open_system() as system:
        boss = await system.spawn(Supervisor, ChildSpec("keeper", Keeper), name="boss")
        assert isinstance(boss, SupervisorRef)
        assert type(system.find("/boss")) is SupervisorRef
        keeper = system.find("/boss/keeper")
        assert type(keeper) is ActorRef
        assert repr(boss).startswith("<SupervisorRef /boss uid=")


@virtual
async def test_stop_is_harmless_on_one_that_has_ended() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        await keeper.tell(Quit())
        await keeper.stopped()
        await keeper.stop()
        await keeper.stop()


def test_a_wire_name_is_the_module_and_the_qualified_name_or_one_given() -> None:
    @attrs.frozen
    class Named:
        __wire_name__ = "named"

    @attrs.frozen
    class Derived(Named):
        pass

    assert wire_name(Count) == "tests.actors.support:Count"
    assert wire_name(Named) == "named"
    assert wire_name(Derived).endswith(
        ":test_a_wire_name_is_the_module_and_the_qualified_name_or_one_given.<locals>.Derived"
    )


@virtual
async def test_a_message_may_carry_a_ref() -> None:
    @attrs.frozen
    class Introduce:
        ref: ActorRef

    class Polite(Keeper):
        @handles
        async def introduce(self, message: Introduce) -> None:
            self.log.append(await message.ref.ask(Count()))

    log: list[object] = []
    async with open_system() as system:
        polite = await system.spawn(Polite, log)
        await polite.tell(Introduce(await system.spawn(Keeper)))
        await polite.ask(Count())
        assert log == [0]
