"""A tree of actors, from its opening to its orderly end."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVarTuple, Unpack, overload

import attrs
import trio
from trio.lowlevel import enable_ki_protection

from aip_trio.actors._children import Children
from aip_trio.actors._envelope import Envelope, Here, here
from aip_trio.actors._environment import Environment, RealEnvironment
from aip_trio.actors._events import DeadLetter, DeadLetterReason, Escalated, EventBus, Restarted, Started
from aip_trio.actors._groups import bare, has_cancelled
from aip_trio.actors._observer import Guarded, Observer
from aip_trio.actors._ref import ActorRef, Address
from aip_trio.actors._snapshot import snapshot
from aip_trio.actors._spec import Flags
from aip_trio.actors._timers import Timers
from aip_trio.actors._tree import TreeNode
from aip_trio.errors import InvalidSpec, NoSystem
from aip_trio.resilience import RestartWindow

if TYPE_CHECKING:
    from aip_trio.actors._actor import Actor
    from aip_trio.actors._cell import Cell
    from aip_trio.actors._spec import ChildOptions
    from aip_trio.actors._supervisor import Supervisor, SupervisorRef

__all__ = [
    "ActorSystem",
    "Statistics",
    "current_environment",
    "current_nursery",
    "current_system",
    "open_system",
]

logger = logging.getLogger("aip_trio.actors")

Ts = TypeVarTuple("Ts")


@attrs.frozen
class Statistics:
    """Counters since the system was opened; ``actors`` are those that stand in the tree now."""

    actors: int
    started: int
    restarts: int
    crashes: int
    handled: int
    dead_letters: Mapping[DeadLetterReason, int]

    @property
    def dead(self) -> int:
        """All dead letters together."""
        return sum(self.dead_letters.values())


class ActorSystem:
    """A running tree of actors; `open_system` makes it. Actors that it spawns stand below ``/``."""

    def __init__(
        self,
        environment: Environment,
        observer: Observer | None,
        window: RestartWindow,
        cancel_grace: float,
    ) -> None:
        self.id = environment.new_id()
        self.environment = environment
        self.events = EventBus()
        self.timers = Timers()
        self.observer = Guarded(observer) if observer is not None else None
        self.window = window
        self.cancel_grace = cancel_grace
        #: when everything must have ended, in Trio's clock; infinite unless cancelled from outside
        self.deadline = math.inf
        self.hurrying = False
        self.crashes = self.handled = 0
        self.token = trio.lowlevel.current_trio_token()
        self._started = self._restarts = 0
        self._uids = 0
        self._dead: Counter[DeadLetterReason] = Counter()
        self._failure: BaseException | None = None
        self._body = trio.CancelScope()
        self._ticking = trio.CancelScope(shield=True)
        #: for tasks that belong to no actor: cancelled when the tree has ended
        self.nursery: trio.Nursery
        self._root: Children

    @overload
    async def spawn(
        self,
        factory: Callable[[Unpack[Ts]], Supervisor],
        *args: *Ts,
        name: str | None = None,
        **options: Unpack[ChildOptions],
    ) -> SupervisorRef: ...
    @overload
    async def spawn(
        self,
        factory: Callable[[Unpack[Ts]], Actor],
        *args: *Ts,
        name: str | None = None,
        **options: Unpack[ChildOptions],
    ) -> ActorRef: ...
    @enable_ki_protection
    async def spawn(
        self,
        factory: Callable[..., Actor],
        *args: object,
        name: str | None = None,
        **options: Unpack[ChildOptions],
    ) -> ActorRef:
        """Start an actor below the root and wait until it is up. A checkpoint.

        ``factory(*args)`` returns the actor, anew for every incarnation; options as in `ChildSpec`, but
        restart is transient unless said otherwise. An actor that has ended is forgotten; one that crashes
        more often than its intensity allows fails the root, and so the system. Raises StartFailed with the
        cause, NameTaken, InvalidSpec, NotAnActor, SystemClosed. Cancelled: the actor ends again first.
        """
        return await self._root.spawn(factory, args, name, options)

    def find(self, path: str) -> ActorRef | None:
        """The actor that stands at this path now, or None."""
        children: Children | None = self._root
        cell: Cell | None = None
        for name in path.strip("/").split("/"):
            cell = children.supervision.children.get(name) if children is not None else None
            children = cell.children if cell is not None else None
        return cell.ref if cell is not None else None

    def resolve(self, address: Address) -> ActorRef | None:
        """The ref with this address, or None where that actor has ended or belongs to another system."""
        ref = self.find(address.path) if address.system == self.id else None
        return ref if ref is not None and ref.uid == address.uid else None

    def tree(self) -> TreeNode:
        """A frozen snapshot of all actors."""
        return snapshot(self._root)

    def statistics(self) -> Statistics:
        """Counters of what has happened so far."""
        nodes = list(self.tree().walk())
        handled = self.handled + sum(node.handled for node in nodes)
        return Statistics(
            len(nodes) - 1, self._started, self._restarts, self.crashes, handled, dict(self._dead)
        )

    # The runtime's side

    def next_uid(self) -> int:
        """A number for an actor."""
        self._uids += 1
        return self._uids

    def children_of(self, cell: Cell, flags: Flags) -> Children:
        """The children of an actor, in its nursery."""
        assert cell.nursery is not None
        return Children(
            self, cell.nursery, flags, path=cell.path, owner=cell, gave_up=cell.give_up, finished=cell.end
        )

    def came_up(self, cell: Cell) -> None:
        """Count it, and tell."""
        if cell.restarts:
            self._restarts += 1
            if self.events.watched:
                self.events.publish(Restarted(cell.path, cell.uid, cell.restarts))
        else:
            self._started += 1
            if self.events.watched:
                self.events.publish(Started(cell.path, cell.uid))

    def escalated(self, path: str, uid: int, error: BaseException) -> None:
        """A supervisor gives up."""
        logger.error("%s", error)
        self.events.publish(Escalated(path, uid, error))

    def bury(
        self, cell: Cell, envelope: Envelope, reason: DeadLetterReason, error: BaseException | None
    ) -> None:
        """Count a dead letter, and tell."""
        self._dead[reason] += 1
        if self.events.watched:
            sender = envelope.sender
            path = sender.path if sender is not None else None
            self.events.publish(DeadLetter(cell.path, cell.uid, envelope.message, reason, path, error))

    @enable_ki_protection
    def fatal(self, error: BaseException) -> None:
        """What no supervisor may catch, such as KeyboardInterrupt: everything ends at once, with it."""
        self._fail(error)
        self.hurry()

    @enable_ki_protection
    def hurry(self) -> None:
        """Cancelled from outside: cancel what is in hand; the rest has ``cancel_grace`` seconds."""
        if not self.hurrying:
            self.hurrying = True
            self.deadline = trio.current_time() + self.cancel_grace
            self._root.hurry()

    def _fail(self, error: BaseException) -> None:
        """The root has failed: the body is cancelled."""
        if self._failure is None:
            self._failure = error
        self._body.cancel()

    @enable_ki_protection
    def _open(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self._root = Children(
            self,
            nursery,
            Flags(owned=True, window=self.window),
            path="/",
            gave_up=self._fail,
            finished=lambda: None,
        )
        self._root.open()
        nursery.start_soon(self._watch)
        nursery.start_soon(self._tick)

    @enable_ki_protection
    async def _watch(self) -> None:
        """Notice a cancellation from outside, whatever the body is doing."""
        try:
            await trio.sleep_forever()
        finally:
            self.hurry()

    @enable_ki_protection
    async def _tick(self) -> None:
        """Run the timers for as long as there are actors."""
        with self._ticking:
            await self.timers.run()

    @enable_ki_protection
    async def _close(self) -> None:  # noqa: ASYNC910 - not called from outside
        while True:
            try:
                with trio.CancelScope(shield=True):  # bounded by the shutdown times, or by cancel_grace
                    await self._root.shutdown()
                break
            except KeyboardInterrupt as again:  # the tree has to end first, but now in a hurry
                self.fatal(again)
        self._ticking.cancel()
        self.events.close()


@asynccontextmanager
@enable_ki_protection
async def open_system(
    *,
    environment: Environment | None = None,
    observer: Observer | None = None,
    intensity: int = 3,
    period: float = 5.0,
    cancel_grace: float = 5.0,
) -> AsyncGenerator[ActorSystem]:
    """Run a tree of actors while the body runs; leaving it stops them in reverse order of start.

    - ``intensity`` restarts within ``period`` seconds is what each actor below the root, or below another
      actor, may use up.
    - ``cancel_grace``: seconds that the whole tree has for its end when it is cancelled from outside:
      messages in hand are cancelled at once, then ``stopping`` runs everywhere, in reverse order, shielded.
    - ``environment``: randomness, wall clock, ids, network; ``observer``: is told of every message.

    A failure of the root cancels the body and is raised bare, or in an ExceptionGroup together with an
    error of the body; an error of the body alone is raised bare. A checkpoint on entry and on exit.
    """
    if not cancel_grace >= 0:
        raise InvalidSpec("cancel_grace", cancel_grace, "give seconds, 0 or more")
    await trio.lowlevel.checkpoint()
    system = ActorSystem(
        environment or RealEnvironment(), observer, RestartWindow(intensity, period), cancel_grace
    )
    errors: list[BaseException] = []
    try:
        async with trio.open_nursery() as nursery:
            system._open(nursery)
            outside = here.get()
            here.set(Here(system))
            try:
                with system._body:
                    yield system
            except BaseException as error:  # noqa: BLE001, ASYNC103 - raised below
                errors.append(error)
            finally:
                here.set(outside)
            await system._close()
            nursery.cancel_scope.cancel()
    except BaseException as error:  # noqa: BLE001, ASYNC103 - raised below
        errors.append(bare(error))
    _raise(system._failure, errors)


def _raise(failure: BaseException | None, errors: list[BaseException]) -> None:
    """Raise what there is: one bare, several as a group, of cancellations one."""
    together = [] if failure is None else [failure]
    for error in errors:
        if not (isinstance(error, trio.Cancelled) and any(map(has_cancelled, together))):
            together.append(error)
    if len(together) == 1:
        raise together[0]
    if together:
        raise BaseExceptionGroup("the root and the body of open_system() failed", together)


def current_system() -> ActorSystem:
    """The system that the calling task runs in. Raises NoSystem outside of one."""
    current = here.get()
    if current is None:
        raise NoSystem("current_system()")
    return current.system


#: For code that runs outside of any system; it holds no more than a source of randomness.
_OUTSIDE = RealEnvironment()


def current_environment() -> Environment:
    """The environment of the system that the calling task runs in; outside of one, the real world."""
    current = here.get()
    return _OUTSIDE if current is None else current.system.environment


def current_nursery() -> trio.Nursery | None:
    """Where background tasks of the caller belong: its actor's nursery, else its system's, else None."""
    current = here.get()
    if current is None:
        return None
    cell = current.cell
    return current.system.nursery if cell is None or cell.nursery is None else cell.nursery
