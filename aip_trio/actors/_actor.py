"""Actors: state of one's own, and one message at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, TypeVarTuple, Unpack, overload

import attrs
import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection

from aip_trio.actors._envelope import Envelope
from aip_trio.actors._handlers import HandlerTable, make_handler_table
from aip_trio.actors._message import check_message
from aip_trio.actors._monitor import Monitor
from aip_trio.actors._ref import ActorRef
from aip_trio.actors._spec import is_seconds
from aip_trio.errors import InvalidHandler, InvalidSpec, NotRunning

if TYPE_CHECKING:
    from aip_trio.actors._cell import Cell
    from aip_trio.actors._spec import ChildOptions
    from aip_trio.actors._supervisor import Supervisor, SupervisorRef
    from aip_trio.actors._system import ActorSystem
    from aip_trio.actors._timers import Timer

__all__ = ["Actor", "Ignore", "StopReason"]

Ts = TypeVarTuple("Ts")


class StopReason(Enum):
    """Why an actor that did not crash ends."""

    NORMAL = "normal"  #: by itself
    SHUTDOWN = "shutdown"  #: its supervisor told it to


class Ignore(Exception):
    """Raise it in a constructor or in `started` to decline: the actor does not run, and that is fine."""


class Actor:
    """Base class. State is set up in the constructor; methods marked with `handles` take the messages.

    Life: constructor → `started` → messages, one at a time → `stopping`. An exception from any of them,
    or from a task in ``self.nursery``, is a crash; the supervisor decides what follows, and every
    incarnation is a new object. What is below cannot be used in the constructor: the actor has no place
    in the tree yet.
    """

    _handlers: ClassVar[HandlerTable] = HandlerTable()
    #: Seconds for its end, where its spec does not say.
    default_shutdown: ClassVar[float] = 5.0
    _ref_class: ClassVar[type[ActorRef]] = ActorRef
    #: Names that mean something to the runtime, so that no handler may have them.
    _reserved: ClassVar[frozenset[str]] = frozenset()

    _cell: Cell | None = None

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if not is_seconds(cls.default_shutdown):
            field = f"{cls.__qualname__}.default_shutdown"
            raise InvalidSpec(field, cls.default_shutdown, "give seconds, 0 or more, or math.inf")
        cls._handlers = make_handler_table(cls, cls._reserved)
        for name in ("started", "stopping"):
            if not inspect.iscoroutinefunction(getattr(cls, name)):
                raise InvalidHandler(f"{cls.__qualname__}.{name}", "is not async: write it with `async def`")

    async def started(self) -> None:
        """Called before the first message. The actor counts as up when it returns."""

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Called at the end, also after a crash (then ``reason`` is the exception).

        Its children have ended; tasks in ``self.nursery`` still run, unless one of them was the crash. It
        is shielded from cancellation, within the shutdown time; ``"brutal"`` skips it.
        """

    @property
    def ref(self) -> ActorRef:
        """The actor's own ref."""
        return self._running("ref").ref

    @property
    def path(self) -> str:
        """Where it stands in the tree."""
        return self._running("path").path

    @property
    def system(self) -> ActorSystem:
        """The system that it runs in."""
        return self._running("system").system

    @property
    def nursery(self) -> trio.Nursery:
        """For tasks of the actor's own: they end with it, and one that fails is its crash."""
        nursery = self._running("nursery").nursery
        if nursery is None:
            raise NotRunning("nursery", self.path)
        return nursery

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
        """Start a child and wait until it is up. A checkpoint; options as in `ChildSpec`.

        Restart is transient unless said otherwise. A child that has ended is forgotten; one that crashes
        more often than its intensity allows crashes this actor. Raises StartFailed with the cause,
        NameTaken, InvalidSpec, NotAnActor. Cancelled: the child ends again first.
        """
        return await self._running("spawn()").family().spawn(factory, args, name, options)

    def sibling(self, name: str) -> ActorRef:
        """The ref of another child of the same supervisor. Raises ChildNotFound."""
        return self._running("sibling()").siblings.sibling(name)

    @enable_ki_protection
    def after(self, delay: float, message: object) -> Timer:
        """Have this message told to the actor in ``delay`` seconds, past its mailbox's bound."""
        check_message(message)
        if not delay >= 0:
            raise InvalidSpec("delay", delay, "give seconds, 0 or more")
        cell = self._running("after()")
        return cell.keep_at(trio.current_time() + delay, lambda: cell.post(message))

    @enable_ki_protection
    def every(self, interval: float, message: object) -> Ticker:
        """Have this message told to the actor every ``interval`` seconds, the first after one.

        One that still waits in the mailbox when the next is due is not doubled; ``skipped`` counts those.
        """
        check_message(message)
        if not interval > 0:
            raise InvalidSpec("interval", interval, "give seconds, more than 0")
        return Ticker(self._running("every()"), interval, message)

    @enable_ki_protection
    def monitor(self, ref: ActorRef) -> Monitor:
        """Be told by a `Terminated` message when that actor ends; at once if it has."""
        if not isinstance(ref, ActorRef):
            raise InvalidSpec("ref", ref, "give the ActorRef of whom to monitor")
        monitor = Monitor(ref._cell, self._running("monitor()"))
        monitor.start()
        return monitor

    @enable_ki_protection
    def stop(self) -> None:
        """End after the message in hand: a normal end."""
        self._running("stop()").end()

    # The runtime's side

    def _adopt(self, cell: Cell) -> bool:
        """Give it its place in the tree, once."""
        if self._cell is not None:
            return False
        self._cell = cell
        return True

    @disable_ki_protection
    async def _bring_up(self) -> None:
        """Everything that must be done before it counts as up."""
        await self.started()

    def _running(self, call: str) -> Cell:
        if self._cell is None:
            raise NotRunning(call, f"{type(self).__qualname__}(…)")
        if self._cell.actor is not self:
            raise NotRunning(call, self._cell.path)
        return self._cell


Actor._reserved = frozenset(dir(Actor))


@attrs.define(eq=False, init=False)
class Ticker:
    """A message that comes again and again; at most one of them waits in the mailbox."""

    skipped: int
    _timer: Timer

    def __init__(self, cell: Cell, interval: float, message: object) -> None:
        self.skipped = 0
        mailbox = cell.mailbox
        envelope = Envelope(message)
        due = trio.current_time() + interval

        def tick() -> None:
            nonlocal due, envelope
            if mailbox.has(envelope):
                self.skipped += 1
            else:
                envelope = cell.post(message)
                mailbox.note(envelope)
            due = max(due + interval, trio.current_time())
            self._timer = cell.keep_at(due, tick)

        self._timer = cell.keep_at(due, tick)

    @enable_ki_protection
    def cancel(self) -> None:
        """No more of them."""
        self._timer.cancel()
