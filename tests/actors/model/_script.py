"""What is done to a tree, step by step.

A target is a number: that actor in the tree, counted modulo, or the next one that fits.
"""

from __future__ import annotations

from itertools import chain
from typing import TypeAlias

import attrs
from hypothesis import strategies as st

from tests.actors.model._nodes import Node, Start, nodes, starts

__all__ = [
    "Advance",
    "BadStop",
    "Coming",
    "Crash",
    "Delete",
    "Exit",
    "Look",
    "Restart",
    "Script",
    "Spawn",
    "StartChild",
    "Step",
    "Stop",
    "Terminate",
    "scripts",
]


@attrs.frozen
class Spawn:
    """Under the root; ``coming``: how its first starts are to go, here and below."""

    node: Node
    coming: tuple[Start, ...] = ()


@attrs.frozen
class Crash:
    """Of any running actor; in the background: a task in its nursery fails, instead of its handler.

    ``coming``: how its next starts are to go.
    """

    target: int
    background: bool = False
    coming: tuple[Start, ...] = ()


@attrs.frozen
class Exit:
    """Of any running actor, by itself, normally."""

    target: int
    coming: tuple[Start, ...] = ()


@attrs.frozen
class Stop:
    """ref.stop() of any actor."""

    target: int


@attrs.frozen
class Coming:
    """How the next starts of any actor are to go."""

    target: int
    starts: tuple[Start, ...]


@attrs.frozen
class BadStop:
    """The next stopping() of any running actor raises."""

    target: int


@attrs.frozen
class StartChild:
    """start_child, start_child_with or spawn, as fits, of any supervisor or owner."""

    target: int
    node: Node
    #: start_child of a simple_one_for_one, and start_child_with of another
    amiss: bool = False
    coming: tuple[Start, ...] = ()


@attrs.frozen
class Terminate:
    """terminate_child of an actor by its supervisor; amiss: of one that the supervisor does not have."""

    target: int
    amiss: bool = False


@attrs.frozen
class Restart:
    """restart_child."""

    target: int
    amiss: bool = False
    coming: tuple[Start, ...] = ()


@attrs.frozen
class Delete:
    """delete_child."""

    target: int
    amiss: bool = False


@attrs.frozen
class Look:
    """which_children and count_children."""

    target: int


@attrs.frozen
class Advance:
    """Time passes."""

    seconds: float


Step: TypeAlias = (
    Spawn
    | Crash
    | Exit
    | Stop
    | Coming
    | BadStop
    | StartChild
    | Terminate
    | Restart
    | Delete
    | Look
    | Advance
)


@attrs.frozen
class Script:
    """A whole life of a system; ``end``: how it is left."""

    tree: Node
    before: tuple[Coming, ...]
    steps: tuple[Step, ...]
    end: str
    intensity: int
    period: float

    @property
    def delays(self) -> bool:
        """Whether any actor has a backoff."""
        added = [step.node for step in self.steps if isinstance(step, Spawn | StartChild)]
        return any(_delays(node) for node in (self.tree, *added))


def _delays(node: Node) -> bool:
    return node.delays is not None or any(map(_delays, node.children))


_TARGET = st.integers(0, 30)
_RARELY = st.sampled_from([False] * 7 + [True])
_NEW = st.sampled_from(["x", "y", "a", "b"]).flatmap(lambda name: nodes(name=name, depth=2, significant=True))
_STARTS = st.one_of(st.just(()), st.just(()), starts())
_COMING = st.builds(Coming, _TARGET, starts())
_STEP: st.SearchStrategy[Step] = st.one_of(
    st.builds(Crash, _TARGET, st.sampled_from([False, False, True]), _STARTS),
    st.builds(Exit, _TARGET, _STARTS),
    st.builds(Advance, st.sampled_from([1.0, 0.5, 2.0, 5.0, 0.25])),
    _COMING,
    st.builds(Crash, _TARGET, st.just(False), starts()),
    st.builds(Terminate, _TARGET, _RARELY),
    st.builds(StartChild, _TARGET, _NEW, _RARELY, _STARTS),
    st.builds(Restart, _TARGET, _RARELY, _STARTS),
    st.builds(Delete, _TARGET, _RARELY),
    st.builds(Stop, _TARGET),
    st.builds(BadStop, _TARGET),
    st.builds(Look, _TARGET),
    st.builds(Spawn, _NEW, _STARTS),
)


@st.composite
def _bouts(draw: st.DrawFn) -> list[Step]:
    """A few steps, perhaps all with one target: what is done to one actor makes the rare cases."""
    steps = draw(st.lists(_STEP, min_size=1, max_size=8))
    target = draw(st.none() | _TARGET)
    if target is None:
        return steps
    return [
        step if isinstance(step, Spawn | Advance) else attrs.evolve(step, target=target) for step in steps
    ]


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Random trees, and what happens to them."""
    return Script(
        tree=draw(nodes(name="top", top=True)),
        before=tuple(draw(st.lists(_COMING, max_size=2))),
        steps=tuple(chain.from_iterable(draw(st.lists(_bouts(), max_size=12)))),
        end=draw(st.sampled_from(["leave", "cancel", "error"])),
        intensity=draw(st.sampled_from([3, 1, 0, 2])),
        period=draw(st.sampled_from([5.0, 2.0])),
    )
