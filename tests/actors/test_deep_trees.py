"""Trees that are deeper than Python's stack."""

import sys

import trio

from aip_trio.actors import Actor, ActorRef, StopReason, TreeNode, open_system
from tests.actors.support import virtual

DEPTH = 5_000


class Level(Actor):
    """Has so many levels below it."""

    def __init__(self, below: int, ends: list[int]) -> None:
        self.below = below
        self.ends = ends

    async def started(self) -> None:
        if self.below:
            await self.spawn(Level, self.below - 1, self.ends, name="x", shutdown="infinity")

    async def stopping(self, reason: StopReason | BaseException) -> None:
        self.ends.append(self.below)


@virtual
async def test_a_deep_tree_is_seen_and_stopped() -> None:
    assert sys.getrecursionlimit() < DEPTH
    ends: list[int] = []
    async with open_system() as system:
        top = await system.spawn(Level, DEPTH, ends, name="x", shutdown="infinity")
        tree = system.tree()
        assert len(list(tree.walk())) == DEPTH + 2
        lines = str(tree).splitlines()
        assert len(lines) == DEPTH + 2
        assert lines[-1].endswith("└─ x  Level  running")
        assert system.statistics().actors == DEPTH + 1
        bottom = system.find("/x" * (DEPTH + 1))
        assert isinstance(bottom, ActorRef)
        await top.stop()
    assert ends == list(range(DEPTH + 1))


@virtual
async def test_a_deep_tree_is_cancelled() -> None:
    ends: list[int] = []
    with trio.CancelScope() as scope:
        async with open_system() as system:
            await system.spawn(Level, DEPTH, ends, name="x")
            scope.cancel()
            await trio.sleep_forever()
    assert ends == list(range(DEPTH + 1))


def test_a_tree_is_walked_and_drawn_parents_first() -> None:
    def node(name: str, *children: TreeNode) -> TreeNode:
        return TreeNode(f"/{name}", name, "K", "running", 0, 0, 0, None, None, children)

    tree = node("a", node("b", node("c"), node("d")), node("e", node("f")))
    assert [found.name for found in tree.walk()] == list("abcdef")
    assert str(tree) == (
        "a  K  running\n"
        "├─ b  K  running\n"
        "│  ├─ c  K  running\n"
        "│  └─ d  K  running\n"
        "└─ e  K  running\n"
        "   └─ f  K  running"
    )
