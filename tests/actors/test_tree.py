import attrs
import pytest
import trio

from aip_trio.actors import Actor, ChildSpec, Supervisor, TreeNode, open_system
from tests.actors.support import Count, Crash, Keeper, Put, busy, virtual


class Fleet(Supervisor):
    def children(self) -> tuple[ChildSpec, ...]:
        return ChildSpec("bus", Keeper), ChildSpec("camera", Keeper)


class Nest(Actor):
    async def started(self) -> None:
        await self.spawn(Keeper, name="egg")


@virtual
async def test_an_empty_system_is_a_root() -> None:
    async with open_system() as system:
        root = system.tree()
        assert (root.path, root.kind, root.state, root.children) == ("/", "root", "running", ())
        assert list(root.walk()) == [root]


@virtual
async def test_the_tree_shows_everyone_in_order_of_start() -> None:
    async with open_system() as system:
        await system.spawn(Fleet, name="fleet")
        await system.spawn(Nest, name="nest")
        assert [(node.path, node.name, node.kind) for node in system.tree().walk()] == [
            ("/", "/", "root"),
            ("/fleet", "fleet", "Fleet"),
            ("/fleet/bus", "bus", "Keeper"),
            ("/fleet/camera", "camera", "Keeper"),
            ("/nest", "nest", "Nest"),
            ("/nest/egg", "egg", "Keeper"),
        ]


@virtual
async def test_a_node_shows_the_facts_of_its_actor() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, name="keeper")
        await keeper.tell(Crash(KeyError("planted")))
        await keeper.ask(Count())
        await trio.sleep(3)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put(1))
        keeper.tell_nowait(Put(2))
        (node,) = system.tree().children
        assert node == TreeNode(
            path="/keeper",
            name="keeper",
            kind="Keeper",
            state="running",
            restarts=1,
            mailbox=2,
            handled=1,
            age=3,
            last_crash="KeyError: 'planted'",
            children=(),
        )
        gate.set()


@virtual
async def test_a_snapshot_does_not_change() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        before = system.tree()
        await keeper.tell(Put(1))
        await keeper.ask(Count())
        assert before.children[0].handled == 0
        assert system.tree().children[0].handled == 2
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            before.name = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


@virtual
async def test_states_are_shown_while_they_last() -> None:
    class Slow(Keeper):
        async def started(self) -> None:
            await trio.sleep(2)

        async def stopping(self, reason: object) -> None:
            await trio.sleep(2)

    async with open_system() as system, trio.open_nursery() as nursery:
        boss = await system.spawn(Supervisor, name="boss")
        nursery.start_soon(boss.start_child, ChildSpec("slow", Slow))
        seen: list[tuple[str, float | None]] = []

        def look() -> None:
            (node,) = system.tree().children[0].children
            seen.append((node.state, node.age))

        await trio.sleep(1)
        look()
        await trio.sleep(2)
        look()
        nursery.start_soon(boss.terminate_child, "slow")
        await trio.sleep(1)
        look()
        await trio.sleep(2)
        look()
        assert [state for state, _ in seen] == ["starting", "running", "stopping", "idle"]
        assert [age for _, age in seen][:2] == [None, 1]
        assert seen[3][1] is None  # it does not run


@virtual
async def test_it_is_drawn_as_a_tree() -> None:
    async with open_system() as system:
        await system.spawn(Fleet, name="fleet")
        keeper = await system.spawn(Keeper, name="keeper")
        await keeper.tell(Crash(KeyError("planted")))
        await keeper.ask(Count())
        assert str(system.tree()) == (
            "/  root  running\n"
            "├─ fleet  Fleet  running\n"
            "│  ├─ bus  Keeper  running\n"
            "│  └─ camera  Keeper  running\n"
            "└─ keeper  Keeper  running  handled=1  restarts=1  last crash: KeyError: 'planted'"
        )


@virtual
async def test_a_crash_of_many_lines_is_drawn_in_one() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        await keeper.tell(Crash(ValueError("one\ntwo")))
        await keeper.ask(Count())
        assert len(str(system.tree()).splitlines()) == 2


@virtual
async def test_a_crash_that_cannot_be_told_is_drawn_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        await keeper.tell(Crash(Mute()))
        await keeper.ask(Count())
        node = system.tree().children[0]
        assert node.last_crash is not None
        assert "Mute: <its str raises ZeroDivisionError>" in node.last_crash
        assert system.statistics().crashes == 1


@virtual
async def test_a_closed_system_is_an_empty_tree() -> None:
    async with open_system() as system:
        await system.spawn(Fleet, name="fleet")
    root = system.tree()
    assert (root.state, root.children) == ("ended", ())
    assert system.find("/fleet") is None
