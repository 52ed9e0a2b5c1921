"""An actor whose work is to keep others running."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

import attrs
import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection

from aip_trio.actors._actor import Actor
from aip_trio.actors._child import ChildState
from aip_trio.actors._children import Children
from aip_trio.actors._ref import ActorRef
from aip_trio.actors._spec import AutoShutdown, ChildSpec, Flags, Strategy
from aip_trio.errors import ActorStopped, ChildNotFound, InvalidSpec, NotRunning
from aip_trio.resilience import RestartWindow

if TYPE_CHECKING:
    from aip_trio.actors._cell import Cell

__all__ = ["ChildCounts", "ChildInfo", "Supervisor", "SupervisorRef"]

StrategyName = Literal["one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one"]
AutoShutdownName = Literal["never", "any_significant", "all_significant"]


@attrs.frozen
class ChildInfo:
    """A child as `SupervisorRef.which_children` tells of it; ``kind`` is "supervisor" or "worker"."""

    name: str
    ref: ActorRef
    state: ChildState
    kind: Literal["supervisor", "worker"]


@attrs.frozen
class ChildCounts:
    """How many specs, running children, and supervisors and workers among the specs."""

    specs: int
    active: int
    supervisors: int
    workers: int


class SupervisorRef(ActorRef):
    """The ref of a `Supervisor`, with OTP's calls.

    Children are named by their name or their ref. What OTP answers with ``{error, Reason}`` is a
    `ChildRefusal` here. All raise NotRunning while the supervisor itself is not up,
    and ActorStopped once it has ended.
    """

    __slots__ = ()

    @enable_ki_protection
    async def start_child(self, spec: ChildSpec) -> ActorRef:
        """Add a child and wait until it is up. A checkpoint; cancelled, it ends again first.

        Raises StartFailed (no spec is left), ChildAlreadyStarted, ChildAlreadyPresent, InvalidSpec. Of a
        child that declines to start, the ref is at rest; its spec is kept unless it is temporary.
        """
        children = self._children("start_child()")
        if children.template is not None:
            raise InvalidSpec(
                "spec", spec, "simple_one_for_one makes its children from one spec: start_child_with(*args)"
            )
        return await children.start(spec)

    @enable_ki_protection
    async def start_child_with(self, *args: object, name: str | None = None) -> ActorRef:
        """In simple_one_for_one: start a child from the one spec, these arguments after the spec's own."""
        children = self._children("start_child_with()")
        if children.template is None:
            raise InvalidSpec("args", args, "only simple_one_for_one takes them: start_child(ChildSpec(…))")
        return await children.start_from_template(args, name)

    @enable_ki_protection
    async def terminate_child(self, child: str | ActorRef) -> None:
        """Stop a child and wait for its end; fine where it does not run. Cancels a restart that is due.

        Its spec stays, unless it is temporary or dynamic: a later restart of its group starts it again, as
        in OTP; `delete_child` takes it out. Raises ChildNotFound; AskCycle in a handler of the child itself,
        of one below it, and of one that it waits for.
        """
        children = self._children("terminate_child()")
        if isinstance(child, ActorRef) and child._cell.state is ChildState.FORGOTTEN:
            await trio.lowlevel.checkpoint()
            return
        await children.terminate(self._which(child, children))

    @enable_ki_protection
    async def restart_child(self, child: str | ActorRef) -> ActorRef:
        """Start a child that does not run, behind the same ref.

        Raises ChildNotFound, ChildRunning, ChildRestarting, StartFailed (the spec stays).
        """
        children = self._children("restart_child()")
        return await children.restart(self._which(child, children))

    @enable_ki_protection
    async def delete_child(self, child: str | ActorRef) -> None:
        """Forget a child that does not run. Raises ChildNotFound, ChildRunning, ChildRestarting."""
        children = self._children("delete_child()")
        await children.delete(self._which(child, children))

    def which_children(self) -> tuple[ChildInfo, ...]:
        """All children, in order of start."""
        cells = self._children("which_children()").supervision.children.values()
        return tuple(
            ChildInfo(
                cell.spec.name, cell.ref, cell.state, "supervisor" if _supervises(cell.ref) else "worker"
            )
            for cell in cells
        )

    def count_children(self) -> ChildCounts:
        """How many there are."""
        cells = self._children("count_children()").supervision.children.values()
        supervisors = sum(_supervises(cell.ref) for cell in cells)
        active = sum(cell.state is ChildState.RUNNING for cell in cells)
        return ChildCounts(len(cells), active, supervisors, len(cells) - supervisors)

    def child_spec(self, child: str | ActorRef) -> ChildSpec:
        """The spec of a child (OTP: ``get_childspec``). Raises ChildNotFound."""
        children = self._children("child_spec()")
        return children.known(self._which(child, children)).spec

    def _children(self, call: str) -> Children:
        cell = self._cell
        if cell.at_rest:
            raise ActorStopped(cell.path)
        if cell.children is None or not cell.children.supervision.begun:  # its started() runs, or nothing
            raise NotRunning(call, cell.path)
        return cell.children

    def _which(self, child: str | ActorRef, children: Children) -> str | Cell:
        """A child, as it is named. Raises ChildNotFound for the ref of another's child."""
        if not isinstance(child, ActorRef):
            return child
        if child._cell.siblings is not children:
            raise ChildNotFound(self.path, child.name)
        return child._cell


def _supervises(ref: ActorRef) -> bool:
    return isinstance(ref, SupervisorRef)


class Supervisor(Actor):
    """Starts its children in order, restarts those that end, and stops them in reverse order.

    Give the specs to the constructor, or override `children`; give the flags as keywords (with
    `functools.partial` where it is a factory), or set them in a subclass::

        class Fleet(Supervisor):
            strategy = "rest_for_one"

            def children(self) -> Iterable[ChildSpec]:
                return ChildSpec("bus", Bus), ChildSpec("camera", Camera, "/dev/video0")

    More than ``intensity`` restarts within ``period`` seconds: it stops all children and crashes with
    RestartIntensityExceeded. ``simple_one_for_one`` has one spec, from which `start_child_with` makes
    its children. Raises InvalidSpec.
    """

    strategy: Strategy | StrategyName = "one_for_one"
    intensity: int = 3
    period: float = 5.0
    auto_shutdown: AutoShutdown | AutoShutdownName = "never"

    default_shutdown: ClassVar[float] = math.inf
    _ref_class: ClassVar[type[ActorRef]] = SupervisorRef

    _specs: tuple[ChildSpec, ...] = ()

    def __init__(
        self,
        *children: ChildSpec,
        strategy: Strategy | StrategyName | None = None,
        intensity: int | None = None,
        period: float | None = None,
        auto_shutdown: AutoShutdown | AutoShutdownName | None = None,
    ) -> None:
        self._specs = children
        if strategy is not None:
            self.strategy = strategy
        if intensity is not None:
            self.intensity = intensity
        if period is not None:
            self.period = period
        if auto_shutdown is not None:
            self.auto_shutdown = auto_shutdown
        self._flags()

    def children(self) -> Iterable[ChildSpec]:
        """The specs of its children, in order of start; asked once for each incarnation."""
        return self._specs

    @disable_ki_protection
    async def _bring_up(self) -> None:
        """`started`, then the children."""
        cell = self._running("start")
        flags = self._flags()
        children = cell.children = cell.system.children_of(cell, flags)
        await self.started()
        given = self.children()
        if isinstance(given, ChildSpec):
            raise InvalidSpec("children", given, "give several: children() returns an iterable of specs")
        specs = _checked(tuple(given), flags, set(children.supervision.children))
        if flags.strategy is Strategy.SIMPLE_ONE_FOR_ONE:
            (children.template,) = specs
            children.open()
        else:
            await children.begin(specs, cell)

    def _flags(self) -> Flags:
        window = RestartWindow(self.intensity, self.period)
        return Flags(strategy=self.strategy, window=window, auto_shutdown=self.auto_shutdown)


Supervisor._reserved = frozenset(dir(Supervisor))


def _checked(specs: tuple[ChildSpec, ...], flags: Flags, names: set[str]) -> tuple[ChildSpec, ...]:
    """``names``: of those that its `started` has spawned already."""
    for spec in specs:
        flags.check(spec)
        if spec.name in names:
            raise InvalidSpec("name", spec.name, "two children have it: names are unique among siblings")
        names.add(spec.name)
    if flags.strategy is Strategy.SIMPLE_ONE_FOR_ONE and len(specs) != 1:
        raise InvalidSpec("children", sorted(names), "simple_one_for_one takes exactly one spec")
    return specs
