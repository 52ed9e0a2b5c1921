"""What a supervisor does next: pure decisions, without I/O, clock or tasks.

`Supervision` is told what happened and answers with the actions to perform. Children are started and
stopped asynchronously: an action begins it, and a later `up` or `down` reports it done. Where the order
matters (the first start, a group's restart, the end), a *sequence* of steps is under way, one step at
a time; crashes and calls that come meanwhile wait in a queue. Where it does not (one_for_one,
simple_one_for_one, an actor's own children), each child goes its own way, so that one that hangs in
its start holds up nobody else.

The rules are those of Erlang/OTP's supervisor (supervisor(3), supervisor.erl); what differs is said in
docs/explanation/supervision.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from enum import Enum
from functools import partial
from typing import Generic, TypeVar

from aip_trio.actors._actions import Action, Came, Delay, Ended
from aip_trio.actors._agenda import Agenda, Item
from aip_trio.actors._calls import Calls
from aip_trio.actors._child import Child, ChildEvent, ChildState, Outcome, OutcomeKind
from aip_trio.actors._limits import Limits
from aip_trio.actors._roster import Roster
from aip_trio.actors._spec import AutoShutdown, Flags, RestartType, Strategy
from aip_trio.errors import ActorStopped, StartFailed

__all__ = ["Phase", "Supervision", "needs_restart", "restart_group"]

C = TypeVar("C", bound=Child)


class Phase(Enum):
    """Where a supervisor itself stands."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


def needs_restart(restart: RestartType, outcome: Outcome) -> bool:
    """Whether a child that ended by itself is to be started again."""
    if restart is RestartType.TRANSIENT:
        return outcome.kind is OutcomeKind.CRASHED
    return restart is RestartType.PERMANENT


def restart_group(strategy: Strategy, children: Sequence[C], failed: C) -> list[C]:
    """The children that are restarted together with this one, in order of start, itself included."""
    if strategy is Strategy.ONE_FOR_ALL:
        return list(children)
    if strategy is Strategy.REST_FOR_ONE:
        return list(children[children.index(failed) :])
    return [failed]


class Supervision(Generic[C]):
    """One supervisor's children, and what is decided for them.

    Every method returns the actions to perform, in order, and expects them to be performed. ``now`` is
    in seconds of any steady clock; ``draw`` gives random numbers in [0, 1) for the backoff's jitter.
    """

    def __init__(self, flags: Flags, *, path: str, draw: Callable[[], float]) -> None:
        self.flags = flags
        self.phase = Phase.STARTING
        self.begun = False
        self.frozen = False
        self._roster: Roster[C] = Roster(flags, path)
        self._agenda: Agenda[C] = Agenda(self._roster)
        self._calls: Calls[C] = Calls(self._roster)
        self._limits = Limits(flags, path)
        self._draw = draw
        self._now = 0.0
        self._enders: list[Hashable] = []
        self._error: BaseException | None = None

    @property
    def children(self) -> dict[str, C]:
        """By name, in order of start."""
        return self._roster.children

    @property
    def awaited(self) -> Collection[C]:
        """The children whose starts or ends all that is queued waits for."""
        return self._agenda.awaited

    @property
    def settled(self) -> bool:
        """Whether nothing is under way, and nothing waits for its turn."""
        return self._agenda.clear

    @property
    def closing(self) -> bool:
        """Whether no child is started any more."""
        return self._agenda.closed

    def find(self, which: str | C) -> C | None:
        """The child of this name, or this very child, if it is still one."""
        return self._roster.find(which)

    # What happened

    def begin(self, children: Iterable[C], now: float) -> list[Action[C]]:
        """Start these, each after the one before is up, and behind what their supervisor has spawned."""
        self._now = now
        self.begun = True
        self._roster.children.update((child.spec.name, child) for child in children)
        self._agenda.add(Item(self._start_all, _nothing))
        return self._roster.flush()

    def _start_all(self) -> None:
        self._agenda.run((), list(self.children.values()), self._come)

    def _come(self) -> None:
        self.phase = Phase.RUNNING
        self._roster.out.append(Came())

    def up(self, child: C, now: float) -> list[Action[C]]:
        """A child has started."""
        self._now = now
        if child.state is ChildState.STARTING:  # else it was told to stop meanwhile
            child.life.fire(ChildEvent.UP)
            child.since = now
            child.fleeting = False
            self._roster.answer_start(child, None)
            self._agenda.stepped(child)
        return self._roster.flush()

    def down(self, child: C, outcome: Outcome, now: float) -> list[Action[C]]:
        """An incarnation of a child has ended."""
        self._now = now
        was = child.state
        backoff = child.spec.backoff
        if backoff is not None and child.since is not None and backoff.healthy(now - child.since):
            child.failures = 0
        child.life.fire(ChildEvent.END)
        if was is ChildState.STOPPING:
            self._stopped(child)
        elif was is ChildState.STARTING:
            self._not_started(child, outcome)
        else:
            self._ended(child, outcome)
        return self._roster.flush()

    def due(self, child: C, turn: int, now: float) -> list[Action[C]]:
        """A delay is over."""
        self._now = now
        self._agenda.add(Item(partial(self._restart_now, child, turn), _nothing))
        return self._roster.flush()

    # What is asked

    def start_child(self, child: C, call: Hashable, now: float) -> list[Action[C]]:
        """Add a child and start it. A failure leaves no spec; one that declines keeps it, where kept."""
        return self._call(partial(self._calls.start, child), call, now)

    def terminate_child(self, which: str | C, call: Hashable, now: float) -> list[Action[C]]:
        """Stop a child. Its spec stays, unless it is temporary or dynamic. Ok also where it does not run.

        Here, and in the calls below, a name is whose it is when the call is performed. A child is itself,
        and no namesake: then it is ok also where it has been forgotten, or is by then.
        """
        child = self.find(which)
        if child is not None and child.state is ChildState.STARTING and self._is_restarted_with_others(child):
            self._now = now
            self._calls.stop(child, call)  # it may hang in its start, and hold up all else
            self._agenda.cut_short()
            return self._roster.flush()
        refuse = None if isinstance(which, str) else partial(self._calls.await_end, which)
        return self._call(partial(self._calls.terminate, which), call, now, refuse)

    def restart_child(self, which: str | C, call: Hashable, now: float) -> list[Action[C]]:
        """Start a child that does not run. A failure keeps its spec."""
        return self._call(partial(self._calls.restart, which), call, now)

    def delete_child(self, which: str | C, call: Hashable, now: float) -> list[Action[C]]:
        """Forget a child that does not run."""
        return self._call(partial(self._calls.delete, which), call, now)

    def _call(
        self,
        perform: Callable[[Hashable], None],
        call: Hashable,
        now: float,
        refuse: Callable[[Hashable], None] | None = None,
    ) -> list[Action[C]]:
        self._now = now
        refuse = refuse or self._calls.refuse
        self._agenda.add(Item(partial(perform, call), partial(refuse, call), call))
        return self._roster.flush()

    def abandon(self, child: C, call: Hashable, now: float) -> list[Action[C]]:
        """The caller of start_child has gone: the child is to end, and to be forgotten."""
        self._now = now
        if self.find(child) is None:  # its call still waits, or it has ended
            self._agenda.take_back(call)
            return self._roster.flush()
        child.fleeting = True
        if child.start_call is call:  # else it is a later one, of restart_child
            child.start_call = None
        if child.active:
            self._roster.stop(child)
        else:
            if child.state is ChildState.RESTARTING:
                self._roster.call_off(child)
            self._roster.forget(child)
        return self._roster.flush()

    def shutdown(self, call: Hashable | None, now: float) -> list[Action[C]]:
        """Stop all children in reverse order (dynamic ones all at once), and end."""
        self._now = now
        if self.phase is Phase.ENDED:
            self._roster.answer(call, None)
        else:
            if call is not None:
                self._enders.append(call)
            self._end(None)
        return self._roster.flush()

    def freeze(self, now: float) -> list[Action[C]]:
        """Start nothing more, whatever happens; what runs waits for `shutdown`."""
        self._now = now
        if not self.closing:
            self.frozen = True
            self._agenda.drop()
            self._agenda.close()
            for child in list(self.children.values()):
                if child.state is ChildState.STARTING:
                    self._roster.stop(child)
                elif not child.active:
                    self._roster.forget(child)
        return self._roster.flush()

    def _is_restarted_with_others(self, child: C) -> bool:
        """Whether a restart under way, and all that is queued behind it, waits for this child."""
        return self.phase is Phase.RUNNING and child in self.awaited

    # Ends

    def _stopped(self, child: C) -> None:
        """A child that was told to stop has ended."""
        self._roster.answer_start(child, ActorStopped(self._roster.path_of(child)))
        if self.closing or child.fleeting or child.temporary:
            self._roster.forget(child)
        elif child.stop_calls:
            self._roster.put_away(child)
        self._roster.answer_stops(child)
        self._agenda.stepped(child)

    def _not_started(self, child: C, outcome: Outcome) -> None:
        """A child has ended before it was up."""
        roster = self._roster
        path = roster.path_of(child)
        if self.closing:  # its turn to be stopped had not come yet
            if outcome.error is not None:
                roster.answer_start(child, StartFailed(path, outcome.error))
            roster.forget(child)
        elif outcome.kind is OutcomeKind.IGNORED:
            child.fleeting = False
            roster.answer_start(child, None)
            roster.put_away(child)
            self._agenda.stepped(child)
        elif child in self.awaited:
            if self.phase is Phase.STARTING:
                self._end(StartFailed(path, outcome.error or ActorStopped(path)))
            else:
                self._agenda.drop()
                self._retry(child, outcome.error)
        elif child.start_call is not None:
            roster.answer_start(child, StartFailed(path, outcome.error or ActorStopped(path)))
            if child.fleeting:
                roster.forget(child)
            else:
                roster.put_away(child)
        else:
            self._retry(child, outcome.error)

    def _ended(self, child: C, outcome: Outcome) -> None:
        """A child that was up has ended by itself."""
        if self.closing:
            self._roster.forget(child)
        elif needs_restart(child.spec.restart, outcome):
            self._retry(child, outcome.error)
        else:
            self._roster.put_away(child)
            self._auto_shutdown(child)

    def _auto_shutdown(self, child: C) -> None:
        mode = self.flags.auto_shutdown
        if not child.spec.significant or mode is AutoShutdown.NEVER:
            return
        alive = (c for c in self.children.values() if c.spec.significant and c.state is not ChildState.IDLE)
        if mode is AutoShutdown.ANY_SIGNIFICANT or not any(alive):
            self._end(None)

    # Restarts

    def _retry(self, child: C, error: BaseException | None) -> None:
        """A restart is due, as soon as what is under way has ended."""
        child.life.fire(ChildEvent.RETRY)
        child.turn += 1
        self._agenda.add(Item(partial(self._count_and_restart, child, child.turn, error), _nothing))

    def _count_and_restart(self, child: C, turn: int, error: BaseException | None) -> None:
        if not _is_due(child, turn):
            return
        given_up = self._limits.count(child, error, self._now)
        if given_up is not None:
            self._end(given_up)
            return
        backoff = child.spec.backoff
        self._restart(child, 0.0 if backoff is None else backoff.delay(child.failures, self._draw()))

    def _restart_now(self, child: C, turn: int) -> None:
        if _is_due(child, turn):
            self._restart(child, 0.0)

    def _restart(self, child: C, delay: float) -> None:
        """Stop the child's group in reverse; then start it in order, or wait first."""
        if self.flags.strategy in (Strategy.ONE_FOR_ONE, Strategy.SIMPLE_ONE_FOR_ONE):
            if delay > 0:
                self._delay(child, delay, child.turn)
            else:
                self._roster.start(child)
            return
        group = restart_group(self.flags.strategy, list(self.children.values()), child)
        stops = [member for member in reversed(group) if member is not child]
        if delay > 0:
            self._agenda.run(stops, (), partial(self._delay, child, delay, child.turn))
        else:
            self._agenda.run(stops, [member for member in group if not member.temporary], _nothing)

    def _delay(self, child: C, seconds: float, turn: int) -> None:
        self._roster.out.append(Delay(child, seconds, turn))

    # The end

    def _end(self, error: BaseException | None) -> None:
        """Stop all children, then say so; with an error: crash, or the failure of the start."""
        if self.phase in (Phase.STOPPING, Phase.ENDED):
            return
        self.phase = Phase.STOPPING
        self._error = error
        self._agenda.close()
        active = [child for child in reversed(self.children.values()) if child.active]
        for child in list(self.children.values()):
            if not child.active:
                self._roster.forget(child)
        if self.flags.strategy is Strategy.SIMPLE_ONE_FOR_ONE:
            self._agenda.stop_together(active, self._finish)
        else:
            self._agenda.run(active, (), self._finish)

    def _finish(self) -> None:
        self.phase = Phase.ENDED
        for call in self._enders:
            self._roster.answer(call, None)
        self._enders.clear()
        self._roster.out.append(Ended(self._error))


def _is_due(child: Child, turn: int) -> bool:
    """Whether this restart is still to be made: a group's restart, or a call, may have dealt with it."""
    return child.state is ChildState.RESTARTING and child.turn == turn


def _nothing() -> None:
    pass
