"""The shell around `Supervision`: performs what it decides, in a nursery."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import enable_ki_protection

from aip_trio.actors._actions import Action, Answered, Came, Delay, Ended, Forget, Rest, Start, Stop
from aip_trio.actors._answer import Answer
from aip_trio.actors._cell import Cell
from aip_trio.actors._child import ChildState, Outcome, OutcomeKind
from aip_trio.actors._events import Crashed, Stopped
from aip_trio.actors._incarnation import incarnate
from aip_trio.actors._ref import ActorRef
from aip_trio.actors._spec import ChildSpec, Flags, RestartType, factory_name
from aip_trio.actors._supervision import Phase, Supervision
from aip_trio.actors._waiting import For, waiting
from aip_trio.errors import (
    AipError,
    AskCycle,
    ChildNotFound,
    InvalidSpec,
    NotAnActor,
    RestartIntensityExceeded,
    StartFailed,
    UsageError,
)
from aip_trio.errors._base import told

if TYPE_CHECKING:
    from aip_trio.actors._actor import Actor
    from aip_trio.actors._spec import ChildOptions
    from aip_trio.actors._system import ActorSystem

__all__ = ["Children"]

logger = logging.getLogger("aip_trio.actors")


class Children:
    """The children of one actor, or of the root.

    They run in the owner's nursery, each behind its own shield. ``gave_up`` is called with the error
    when too many restarts end the supervision; ``finished`` when significant children did.
    """

    def __init__(
        self,
        system: ActorSystem,
        nursery: trio.Nursery,
        flags: Flags,
        *,
        path: str,
        owner: Cell | None = None,
        gave_up: Callable[[BaseException], None],
        finished: Callable[[], None],
    ) -> None:
        self.path = path
        self.template: ChildSpec | None = None
        self.owner = owner
        self.supervision: Supervision[Cell] = Supervision(
            flags, path=path, draw=system.environment.random.random
        )
        self._system = system
        self._nursery = nursery
        self._gave_up = gave_up
        self._finished = finished
        self._came: Answer[None] = Answer()
        self._numbers = count(1)

    @property
    def deadline(self) -> float:
        """When all of them must have ended: a shutdown time bounds everything below."""
        return self._system.deadline if self.owner is None else self.owner.deadline

    def sibling(self, name: str) -> ActorRef:
        """The child of that name. Raises ChildNotFound."""
        return self.known(name).ref

    def known(self, which: str | Cell) -> Cell:
        """The child of that name, or this very one. Raises ChildNotFound."""
        cell = self.supervision.find(which)
        if cell is None:
            raise ChildNotFound(self.path, which if isinstance(which, str) else which.spec.name)
        return cell

    # Calls

    @enable_ki_protection
    async def begin(self, specs: Iterable[ChildSpec], owner: Cell) -> None:
        """Start these in order; the owner's start waits for them."""
        cells = [self._cell(spec) for spec in specs]
        owner.waits.update({Answer(): (cell, For.START) for cell in cells})
        try:
            self._perform(self.supervision.begin(cells, trio.current_time()))
            await self._came.wait()
        finally:
            owner.waits.clear()

    @enable_ki_protection
    def open(self) -> None:
        """Begin with no children."""
        self._perform(self.supervision.begin((), trio.current_time()))

    @enable_ki_protection
    async def spawn(
        self,
        factory: Callable[..., Actor],
        args: tuple[object, ...],
        name: str | None,
        options: ChildOptions,
    ) -> ActorRef:
        """Start a child under a name given or made; transient unless said otherwise."""
        if name is None:
            name = self._free_name(factory)
        options = {"restart": RestartType.TRANSIENT, **options}
        return await self.start(ChildSpec(name, factory, *args, **options))

    def _free_name(self, factory: Callable[..., Actor]) -> str:
        stem = factory_name(factory).replace("/", "-")
        return next(
            name for number in self._numbers if (name := f"{stem}-{number}") not in self.supervision.children
        )

    @enable_ki_protection
    async def start(self, spec: ChildSpec) -> ActorRef:
        """start_child: its ref, when it is up."""
        self.supervision.flags.check(spec)
        cell = self._cell(spec)
        call: Answer[Cell | None] = Answer()
        try:
            with waiting(call, cell, For.START):
                self._perform(self.supervision.start_child(cell, call, trio.current_time()))
                await call.wait()
        except (trio.Cancelled, AskCycle):
            await self._abandon(cell, call)  # noqa: ASYNC102 - shielded inside
            raise
        except StartFailed as failed:
            if isinstance(failed.cause, (NotAnActor, InvalidSpec)):  # the caller's mistake, not the child's
                raise failed.cause from None
            raise
        return cell.ref

    @enable_ki_protection
    async def start_from_template(self, args: tuple[object, ...], name: str | None) -> ActorRef:
        """start_child of simple_one_for_one."""
        template = self.template
        assert template is not None
        name = name if name is not None else self._free_name(template.factory)
        return await self.start(template.another(name, *args))

    async def _abandon(self, cell: Cell, call: Answer[Cell | None]) -> None:  # noqa: ASYNC910 - not called from outside
        """The caller does not wait any more: nobody would know of the child, so it ends first."""
        self._perform(self.supervision.abandon(cell, call, trio.current_time()))
        with trio.CancelScope(shield=True):  # bounded by the child's shutdown time
            if cell.active:
                await cell.ref.stopped()

    async def terminate(self, which: str | Cell) -> None:
        """terminate_child."""
        await self._call(self.supervision.terminate_child, which, For.END)

    async def restart(self, which: str | Cell) -> ActorRef:
        """restart_child: its ref, when it is up."""
        cell = await self._call(self.supervision.restart_child, which, For.START)
        assert cell is not None
        return cell.ref

    async def delete(self, which: str | Cell) -> None:
        """delete_child."""
        await self._call(self.supervision.delete_child, which, For.CALL)

    @enable_ki_protection
    async def _call(
        self,
        decide: Callable[[str | Cell, Answer[Cell | None], float], list[Action[Cell]]],
        which: str | Cell,
        what: For,
    ) -> Cell | None:
        """Any of the calls on a child. Cancelled, or refused under way: it is done all the same."""
        call: Answer[Cell | None] = Answer()
        target = self.supervision.children.get(which) if isinstance(which, str) else which
        with waiting(call, target, what):
            self._perform(decide(which, call, trio.current_time()))
            return await call.wait()

    @enable_ki_protection
    async def shutdown(self) -> None:
        """Stop all, in reverse order, and wait for it."""
        call: Answer[Cell | None] = Answer()
        self._perform(self.supervision.shutdown(call, trio.current_time()))
        await call.wait()

    @enable_ki_protection
    def hurry(self) -> None:
        """Start nothing more, and cancel what is in hand, here and below."""
        families: list[Children] = [self]
        for family in families:  # they become more
            family._perform(family.supervision.freeze(trio.current_time()))
            for cell in list(family.supervision.children.values()):
                cell.hurry()
                if cell.children is not None:
                    families.append(cell.children)

    # Reports

    @enable_ki_protection
    def up(self, cell: Cell) -> None:
        """An incarnation is up."""
        if cell.state is ChildState.STARTING:  # else it was told to stop meanwhile
            self._system.came_up(cell)
        self._perform(self.supervision.up(cell, trio.current_time()))

    @enable_ki_protection
    def down(self, cell: Cell, outcome: Outcome) -> None:
        """An incarnation has ended."""
        self._report(cell, outcome)
        self._perform(self.supervision.down(cell, outcome, trio.current_time()))

    def _report(self, cell: Cell, outcome: Outcome) -> None:
        events = self._system.events
        if outcome.kind is OutcomeKind.CRASHED and outcome.error is not None:
            self._system.crashes += 1
            starting = cell.since is None and self.supervision.phase is Phase.STARTING
            if not _heard(cell.start_call) and not starting:  # else whoever started it, or them, is told
                _log(cell, outcome.error)
            if events.watched:
                events.publish(Crashed(cell.path, cell.uid, outcome.error))
        elif events.watched and cell.since is not None:
            events.publish(Stopped(cell.path, cell.uid))

    # Actions

    def _perform(self, actions: list[Action[Cell]]) -> None:
        for action in actions:
            match action:
                case Start(cell):
                    cell.call_off()
                    cell.mailbox.reopen()
                    self._nursery.start_soon(incarnate, cell, name=cell.path)
                case Stop(cell):
                    cell.stop()
                case Delay(cell, seconds, turn):
                    cell.call_off()
                    due = trio.current_time() + seconds
                    cell.delay = self._system.timers.at(due, partial(self._due, cell, turn))
                case Rest(cell):
                    cell.rest()
                case Forget(cell):
                    cell.rest()
                    self._system.handled += cell.handled
                case Answered(call, error, child):
                    _answer(call, error, child)
                case Came():
                    self._came.send(None)
                case Ended(error):
                    self._ended(error)

    def _due(self, cell: Cell, turn: int) -> None:
        self._perform(self.supervision.due(cell, turn, trio.current_time()))

    def _ended(self, error: BaseException | None) -> None:
        if error is None:
            self._came.send(None)  # significant children may end before the last has started
            self._finished()
        elif isinstance(error, StartFailed):
            self._came.fail(error)
        else:
            self._system.escalated(self.path, self.owner.uid if self.owner is not None else 0, error)
            self._gave_up(error)

    def _cell(self, spec: ChildSpec) -> Cell:
        cell = Cell(spec, self._system, self, self._system.next_uid())
        cell.ref = ActorRef(cell)  # replaced when its factory turns out to make a supervisor
        return cell


def _answer(call: Any, error: BaseException | None, child: Cell | None) -> None:
    if error is None:
        call.send(child)
    else:
        call.fail(error)


def _heard(call: Any) -> bool:
    """Whether somebody waits for the result of this call."""
    return call is not None and not call.withdrawn


def _log(cell: Cell, error: BaseException) -> None:
    """A crash that nobody else is told of. What happens to a program says all in a line; what is wrong with
    it needs its traceback.
    """
    bottom = error
    while isinstance(bottom, StartFailed):
        bottom = bottom.cause
    happened = isinstance(bottom, AipError) and not isinstance(bottom, UsageError)
    if isinstance(bottom, RestartIntensityExceeded):  # whose text was logged when it was raised
        logger.error("%s crashed", cell.path, extra={"error": error})
    elif happened and not logger.isEnabledFor(logging.DEBUG):
        level = logging.ERROR if cell.spec.backoff is None else logging.WARNING  # it is tried again, later
        logger.log(level, "%s crashed: %s", cell.path, told(error), extra={"error": error})
    else:
        logger.error("%s crashed", cell.path, exc_info=error)
