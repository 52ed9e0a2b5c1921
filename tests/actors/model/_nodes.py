"""Trees of actors as plain data, for the model and for the real thing."""

from __future__ import annotations

from enum import Enum

import attrs
from hypothesis import strategies as st

from aip_trio.actors import AutoShutdown, RestartType, Strategy

__all__ = ["Delays", "Kind", "Node", "Start", "nodes", "paths_of", "starts"]


class Kind(Enum):
    """What an actor is."""

    WORKER = "worker"
    OWNER = "owner"  #: a plain actor that spawns children of its own
    SUPERVISOR = "supervisor"
    DYNAMIC = "dynamic"  #: simple_one_for_one


class Start(Enum):
    """How one start of an actor is to go, if not well."""

    DECLINE_MAKING = "Ignore in the constructor"
    DECLINE = "Ignore in started"
    FAIL_MAKING = "an exception in the constructor"
    FAIL = "an exception in started"
    GOOD = "up"


@attrs.frozen
class Delays:
    """A backoff without jitter. All times are dyadic fractions, so that sums of them are exact."""

    initial: float = 0.5
    multiplier: float = 2.0
    maximum: float = 4.0
    reset_after: float = 3.0
    max_retries: int | None = None


@attrs.frozen(repr=False)
class Node:
    """One actor, its options and the actors below it; a DYNAMIC one's only child is its template."""

    name: str
    kind: Kind = Kind.WORKER
    restart: RestartType = RestartType.PERMANENT
    significant: bool = False
    delays: Delays | None = None
    brutal: bool = False
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 3
    period: float = 5.0
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    children: tuple[Node, ...] = ()

    def __repr__(self) -> str:
        """What is not the default."""
        options = [
            f"{field.name}={value!r}"
            for field in attrs.fields(type(self))
            if (value := getattr(self, field.name)) != field.default
        ]
        return f"Node({', '.join(options)})"

    @property
    def supervises(self) -> bool:
        """Whether it is a supervisor, of whatever kind."""
        return self.kind in (Kind.SUPERVISOR, Kind.DYNAMIC)


def paths_of(node: Node, below: str) -> list[str]:
    """The paths of a tree that is to stand below this one."""
    path = f"{below.rstrip('/')}/{node.name}"
    return [path, *(inner for child in node.children for inner in paths_of(child, path))]


# Strategies: what comes first in a sampled_from is what examples shrink to.

_DELAYS = st.builds(
    Delays,
    initial=st.sampled_from([0.5, 1.0, 0.0]),
    multiplier=st.sampled_from([1.0, 2.0]),
    maximum=st.sampled_from([4.0, 1.0]),
    reset_after=st.sampled_from([3.0, 1.0]),
    max_retries=st.sampled_from([None, 2, 1, 0]),
)
_KINDS = [*[Kind.WORKER] * 2, *[Kind.SUPERVISOR] * 3, Kind.OWNER, Kind.DYNAMIC]
_RESTARTS = [*[RestartType.PERMANENT, RestartType.TRANSIENT] * 2, RestartType.TEMPORARY]
_STRATEGIES = [Strategy.ONE_FOR_ONE, Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE]
_NAMES = ("a", "b", "c", "d")


def starts() -> st.SearchStrategy[tuple[Start, ...]]:
    """How the next starts of an actor are to go."""
    failures = st.lists(st.sampled_from([Start.FAIL, Start.FAIL_MAKING]), min_size=1, max_size=5)
    mixed = st.lists(st.sampled_from(list(Start)), min_size=1, max_size=4)
    return st.one_of(failures, mixed).map(tuple)


@st.composite
def nodes(
    draw: st.DrawFn, *, name: str = "a", depth: int = 3, significant: bool = False, top: bool = False
) -> Node:
    """A tree at most ``depth`` actors high; ``significant``: whether its top may be that."""
    kinds = [Kind.WORKER] if depth <= 1 else _KINDS
    kind = draw(st.sampled_from(_KINDS[2:] if top else kinds))
    restart = draw(st.sampled_from(_RESTARTS))
    delays = draw(st.none() | _DELAYS) if restart is not RestartType.TEMPORARY else None
    node = Node(
        name,
        kind,
        restart=restart,
        significant=significant and restart is not RestartType.PERMANENT and draw(st.booleans()),
        delays=delays if draw(st.booleans()) else None,
        brutal=draw(st.sampled_from([False, False, False, True])),
    )
    if kind is Kind.WORKER:
        return node
    if kind is Kind.OWNER:
        return attrs.evolve(node, children=_children(draw, depth - 1, significant=False))
    node = attrs.evolve(
        node, intensity=draw(st.sampled_from([1, 2, 3, 0])), period=draw(st.sampled_from([2.0, 1.0, 5.0]))
    )
    if kind is Kind.DYNAMIC:
        template = draw(nodes(name="template", depth=depth - 1))
        return attrs.evolve(node, strategy=Strategy.SIMPLE_ONE_FOR_ONE, children=(template,))
    auto = draw(st.sampled_from(AutoShutdown))
    return attrs.evolve(
        node,
        strategy=draw(st.sampled_from(_STRATEGIES)),
        auto_shutdown=auto,
        children=_children(draw, depth - 1, significant=auto is not AutoShutdown.NEVER),
    )


def _children(draw: st.DrawFn, depth: int, *, significant: bool) -> tuple[Node, ...]:
    names = _NAMES[: draw(st.sampled_from([2, 3, 4, 1, 0]))]
    return tuple(draw(nodes(name=name, depth=depth, significant=significant)) for name in names)
