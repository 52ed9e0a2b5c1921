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

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import Enum
from typing import Generic, TypeVar

import attrs

from aip_trio.actors._actions import Action, Answered, Came, Delay, Ended, Forget, Rest, Start, Stop
from aip_trio.actors._child import Child, ChildEvent, ChildState, Outcome, OutcomeKind
from aip_trio.actors._spec import AutoShutdown, Flags, RestartType, Strategy
from aip_trio.errors import (
    ActorStopped,
    ChildAlreadyPresent,
    ChildAlreadyStarted,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    NameTaken,
    NotRunning,
    RestartIntensityExceeded,
    RetriesExhausted,
    StartFailed,
    SystemClosed,
)
from aip_trio.resilience import Restart

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


@attrs.define(eq=False)
class _Sequence(Generic[C]):
    """Steps one after another: stop these, then start those, then do what follows."""

    stops: deque[C]
    starts: deque[C]
    then: Callable[[], None]
    waiting: set[C] = attrs.field(factory=lambda: set[C]())


@attrs.define(eq=False)
class _Attempt(Generic[C]):
    """A restart that waits for its turn; ``counted`` once the intensity has been asked."""

    child: C
    turn: int
    error: BaseException | None
    counted: bool = False


@attrs.frozen(eq=False)
class _Call:
    """A call that waits for the end of a sequence."""

    call: Hashable
    perform: Callable[[], None]


class Supervision(Generic[C]):
    """One supervisor's children, and what is decided for them.

    Every method returns the actions to perform, in order, and expects them to be performed. ``now`` is
    in seconds of any steady clock; ``draw`` gives random numbers in [0, 1) for the backoff's jitter.
    """

    def __init__(self, flags: Flags, *, path: str, draw: Callable[[], float]) -> None:
        self.flags = flags
        self.path = path
        self.phase = Phase.STARTING
        self.children: dict[str, C] = {}
        self.begun = False
        self.frozen = False
        self._draw = draw
        self._now = 0.0
        self._window = flags.window
        self._sequence: _Sequence[C] | None = None
        self._queue: deque[_Attempt[C] | _Call] = deque()
        self._enders: list[Hashable] = []
        self._error: BaseException | None = None
        self._out: list[Action[C]] = []

    # What happened

    def begin(self, children: Iterable[C], now: float) -> list[Action[C]]:
        """Start these, each after the one before is up."""
        self._now = now
        self.begun = True
        for child in children:
            self.children[child.spec.name] = child
        if self._sequence is None:
            self._start_all()
        else:  # of children that the supervisor's started() has spawned
            self._queue.append(_Call(None, self._start_all))
        return self._flush()

    def _start_all(self) -> None:
        self._run([], list(self.children.values()), self._begun)

    def up(self, child: C, now: float) -> list[Action[C]]:
        """A child has started."""
        self._now = now
        if child.state is ChildState.STARTING:  # else it was told to stop meanwhile
            child.life.fire(ChildEvent.UP)
            child.since = now
            child.fleeting = False
            self._answer_start(child, None)
            self._stepped(child)
        return self._flush()

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
        return self._flush()

    def due(self, child: C, turn: int, now: float) -> list[Action[C]]:
        """A delay is over."""
        self._now = now
        self._enqueue(_Attempt(child, turn, None, counted=True))
        return self._flush()

    # What is asked

    def start_child(self, child: C, call: Hashable, now: float) -> list[Action[C]]:
        """Add a child and start it. A failure leaves no spec; one that declines keeps it, where kept."""
        self._now = now
        self._call(call, lambda: self._start_child(child, call))
        return self._flush()

    def terminate_child(self, name: str, call: Hashable, now: float) -> list[Action[C]]:
        """Stop a child. Its spec stays, unless it is temporary or dynamic. Ok also where it does not run."""
        self._now = now
        child = self.children.get(name)
        if child is not None and self._waited_for(child) and child.state is ChildState.STARTING:
            self._terminate(child, call)  # it may hang in its start, and hold up all else
            self._call_off_rest()
        else:
            self._call(call, lambda: self._terminate_child(name, call))
        return self._flush()

    def restart_child(self, name: str, call: Hashable, now: float) -> list[Action[C]]:
        """Start a child that does not run. A failure keeps its spec."""
        self._now = now
        self._call(call, lambda: self._restart_child(name, call))
        return self._flush()

    def delete_child(self, name: str, call: Hashable, now: float) -> list[Action[C]]:
        """Forget a child that does not run."""
        self._now = now
        self._call(call, lambda: self._delete_child(name, call))
        return self._flush()

    def abandon(self, child: C, call: Hashable, now: float) -> list[Action[C]]:
        """The caller of start_child has gone: the child is to end, and to be forgotten."""
        self._now = now
        if self.children.get(child.spec.name) is not child:  # its call still waits, or it has ended
            self._queue = deque(i for i in self._queue if not (isinstance(i, _Call) and i.call is call))
            return self._flush()
        child.fleeting = True
        if child.start_call is call:  # else it is a later one, of restart_child
            child.start_call = None
        if child.state in (ChildState.STARTING, ChildState.RUNNING):
            self._stop(child)
        elif child.state in (ChildState.IDLE, ChildState.RESTARTING):
            if child.state is ChildState.RESTARTING:
                self._call_off(child)
            self._forget(child)
        return self._flush()

    def shutdown(self, call: Hashable | None, now: float) -> list[Action[C]]:
        """Stop all children in reverse order (dynamic ones all at once), and end."""
        self._now = now
        if self.phase is Phase.ENDED:
            self._answer(call, None)
        else:
            if call is not None:
                self._enders.append(call)
            self._end(None)
        return self._flush()

    def freeze(self, now: float) -> list[Action[C]]:
        """Start nothing more, whatever happens; what runs waits for `shutdown`."""
        self._now = now
        if not self.frozen and self.phase in (Phase.STARTING, Phase.RUNNING):
            self.frozen = True
            self._sequence = None
            self._refuse_queue()
            for child in list(self.children.values()):
                if child.state is ChildState.STARTING:
                    self._stop(child)
                elif child.state in (ChildState.RESTARTING, ChildState.IDLE):
                    self._forget(child)
        return self._flush()

    # Calls

    def _waited_for(self, child: C) -> bool:
        """Whether a restart, and all that is queued behind it, waits for this child."""
        return self.phase is Phase.RUNNING and self._sequence is not None and child in self._sequence.waiting

    def _call(self, call: Hashable, perform: Callable[[], None]) -> None:
        """Perform a call now, or after the sequence that is under way."""
        if self.frozen or self.phase in (Phase.STOPPING, Phase.ENDED):
            self._answer(call, self._closed())
        elif self._sequence is not None:
            self._queue.append(_Call(call, perform))
        else:
            perform()

    def _closed(self) -> BaseException:
        return SystemClosed("spawn()") if self.flags.owned else NotRunning("a call", self.path)

    def _start_child(self, child: C, call: Hashable) -> None:
        name = child.spec.name
        present = self.children.get(name)
        if present is not None:
            self._answer(call, self._refuse_name(present))
            return
        self.children[name] = child
        child.fleeting = True
        child.start_call = call
        self._start(child)

    def _refuse_name(self, present: C) -> BaseException:
        name = present.spec.name
        if self.flags.owned:
            return NameTaken(name, self.path)
        started = present.active and not present.restarting
        refusal = ChildAlreadyStarted if started else ChildAlreadyPresent
        return refusal(self.path, name)

    def _terminate_child(self, name: str, call: Hashable) -> None:
        child = self.children.get(name)
        if child is None:
            self._answer(call, ChildNotFound(self.path, name))
        elif child.active:
            self._terminate(child, call)
        else:
            if child.state is ChildState.RESTARTING:
                self._call_off(child)
                self._put_away(child)
            self._answer(call, None)

    def _terminate(self, child: C, call: Hashable) -> None:
        child.stop_calls = [*(child.stop_calls or ()), call]
        if child.state is not ChildState.STOPPING:
            self._stop(child)

    def _restart_child(self, name: str, call: Hashable) -> None:
        child = self.children.get(name)
        if child is None:
            self._answer(call, ChildNotFound(self.path, name))
        elif child.restarting:
            self._answer(call, ChildRestarting(self.path, name))
        elif child.active:
            self._answer(call, ChildRunning(self.path, name))
        else:
            child.start_call = call
            self._start(child)

    def _delete_child(self, name: str, call: Hashable) -> None:
        child = self.children.get(name)
        if child is None:
            self._answer(call, ChildNotFound(self.path, name))
        elif child.restarting:
            self._answer(call, ChildRestarting(self.path, name))
        elif child.active:
            self._answer(call, ChildRunning(self.path, name))
        else:
            self._forget(child)
            self._answer(call, None)

    # Ends

    def _stopped(self, child: C) -> None:
        """A child that was told to stop has ended."""
        self._answer_start(child, ActorStopped(self._path_of(child)))
        calls, child.stop_calls = child.stop_calls, None
        if self._closing or child.fleeting or child.temporary:
            self._forget(child)
        elif calls:
            self._put_away(child)
        for call in calls or ():
            self._answer(call, None)
        self._stepped(child)

    def _not_started(self, child: C, outcome: Outcome) -> None:
        """A child has ended before it was up."""
        if self._closing:  # its turn to be stopped had not come yet
            if outcome.error is not None:
                self._answer_start(child, StartFailed(self._path_of(child), outcome.error))
            self._forget(child)
            return
        if outcome.kind is OutcomeKind.IGNORED:
            child.fleeting = False
            self._answer_start(child, None)
            self._put_away(child)
            self._stepped(child)
            return
        error = outcome.error
        in_sequence = self._sequence is not None and child in self._sequence.waiting
        if in_sequence and self.phase is Phase.STARTING:
            self._end(StartFailed(self._path_of(child), error or ActorStopped(self._path_of(child))))
        elif in_sequence:
            self._sequence = None
            self._retry(child, error)
            self._drain()
        elif child.start_call is not None:
            failed = StartFailed(self._path_of(child), error or ActorStopped(self._path_of(child)))
            self._answer_start(child, failed)
            if child.fleeting:
                self._forget(child)
            else:
                self._put_away(child)
        else:
            self._retry(child, error)

    def _ended(self, child: C, outcome: Outcome) -> None:
        """A child that was up has ended by itself."""
        if self._closing:
            self._forget(child)
        elif needs_restart(child.spec.restart, outcome):
            self._retry(child, outcome.error)
        else:
            self._put_away(child)
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
        self._enqueue(_Attempt(child, child.turn, error))

    def _enqueue(self, attempt: _Attempt[C]) -> None:
        if self._closing:
            return
        self._queue.append(attempt)
        if self._sequence is None:
            self._drain()

    def _attempt(self, attempt: _Attempt[C]) -> None:
        child = attempt.child
        if child.state is not ChildState.RESTARTING or child.turn != attempt.turn:
            return  # overtaken: a group's restart or a call has dealt with it
        delay = 0.0
        if not attempt.counted:
            given_up = self._count(child, attempt.error)
            if given_up is not None:
                self._end(given_up)
                return
            if child.spec.backoff is not None:
                delay = child.spec.backoff.delay(child.failures, self._draw())
        self._restart(child, delay)

    def _count(self, child: C, error: BaseException | None) -> BaseException | None:
        """Count a restart; the error to give up with, where it is one too many."""
        backoff = child.spec.backoff
        if backoff is None:
            return self._count_intensity(child, error)
        child.failures += 1
        if not backoff.exhausted(child.failures):
            return None
        causes = () if error is None else (error,)
        return RetriesExhausted(self.path, child.spec.name, backoff.max_retries or 0, math.inf, causes)

    def _count_intensity(self, child: C, error: BaseException | None) -> BaseException | None:
        window = (child.window or self.flags.window) if self.flags.owned else self._window
        window = window.add(Restart(self._now, error))
        if self.flags.owned:
            child.window = window
        else:
            self._window = window
        if not window.exceeded:
            return None
        return RestartIntensityExceeded(
            self.path, child.spec.name, window.intensity, window.period, window.causes
        )

    def _restart(self, child: C, delay: float) -> None:
        """Stop the child's group in reverse; then start it in order, or wait first."""
        if self.flags.strategy in (Strategy.ONE_FOR_ONE, Strategy.SIMPLE_ONE_FOR_ONE):
            if delay > 0:
                self._out.append(Delay(child, delay, child.turn))
            else:
                self._start(child)
            return
        group = restart_group(self.flags.strategy, list(self.children.values()), child)
        stops = [member for member in reversed(group) if member is not child]
        if delay > 0:
            turn = child.turn
            self._run(stops, [], lambda: self._out.append(Delay(child, delay, turn)))
        else:
            self._run(stops, [member for member in group if not member.temporary], _nothing)

    def _call_off(self, child: C) -> None:
        """A restart that was due is not to be: those that were to be started with it rest, too."""
        child.life.fire(ChildEvent.STOP)
        if self.flags.strategy in (Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE):
            for other in self.children.values():
                if other.state is ChildState.RESTARTING:
                    return  # it takes along those after it
                if other.state is ChildState.IDLE and other is not child:
                    self._out.append(Rest(other))

    def _call_off_rest(self) -> None:
        """A restart that is under way ends here: those that were still to be started rest."""
        assert self._sequence is not None
        for other in self._sequence.starts:
            if other.state is ChildState.RESTARTING:  # the one whose end began it
                other.life.fire(ChildEvent.STOP)
            if other.state is ChildState.IDLE:
                self._out.append(Rest(other))
        self._sequence.starts.clear()

    # Sequences

    def _run(self, stops: list[C], starts: list[C], then: Callable[[], None]) -> None:
        self._sequence = _Sequence(deque(stops), deque(starts), then)
        self._advance()

    def _advance(self) -> None:
        """Take steps until one has to be waited for."""
        while (sequence := self._sequence) is not None and not sequence.waiting:
            if sequence.stops:
                self._step_stop(sequence, sequence.stops.popleft())
            elif sequence.starts:
                self._step_start(sequence, sequence.starts.popleft())
            else:
                self._sequence = None
                sequence.then()
                self._drain()

    def _step_stop(self, sequence: _Sequence[C], child: C) -> None:
        if child.active:
            sequence.waiting.add(child)
            if child.state is not ChildState.STOPPING:
                self._stop(child)
        elif child.state is ChildState.RESTARTING:
            child.life.fire(ChildEvent.STOP)

    def _step_start(self, sequence: _Sequence[C], child: C) -> None:
        if child.state in (ChildState.IDLE, ChildState.RESTARTING):
            sequence.waiting.add(child)
            self._start(child)

    def _stepped(self, child: C) -> None:
        """What was begun with a child is done: go on, if a sequence waited for that."""
        if self._sequence is not None and child in self._sequence.waiting:
            self._sequence.waiting.discard(child)
            self._advance()

    def _drain(self) -> None:
        """Deal with what waited for the end of a sequence, until another one is under way."""
        while self._queue and self._sequence is None and not self._closing:
            item = self._queue.popleft()
            if isinstance(item, _Attempt):
                self._attempt(item)
            else:
                item.perform()

    def _begun(self) -> None:
        self.phase = Phase.RUNNING
        self._out.append(Came())

    # The end

    @property
    def _closing(self) -> bool:
        return self.frozen or self.phase in (Phase.STOPPING, Phase.ENDED)

    def _end(self, error: BaseException | None) -> None:
        """Stop all children, then say so; with an error: crash, or the failure of the start."""
        if self.phase in (Phase.STOPPING, Phase.ENDED):
            return
        self.phase = Phase.STOPPING
        self._error = error
        self._refuse_queue()
        active = [child for child in reversed(self.children.values()) if child.active]
        for child in list(self.children.values()):
            if not child.active:
                self._forget(child)
        if self.flags.strategy is Strategy.SIMPLE_ONE_FOR_ONE:
            self._sequence = _Sequence(deque(), deque(), self._finish, set(active))
            for child in active:
                if child.state is not ChildState.STOPPING:
                    self._stop(child)
            self._advance()
        else:
            self._run(active, [], self._finish)

    def _finish(self) -> None:
        self.phase = Phase.ENDED
        for call in self._enders:
            self._answer(call, None)
        self._enders.clear()
        self._out.append(Ended(self._error))

    def _refuse_queue(self) -> None:
        queue, self._queue = self._queue, deque()
        for item in queue:
            if isinstance(item, _Call):
                self._answer(item.call, self._closed())

    # Small things

    def _start(self, child: C) -> None:
        child.life.fire(ChildEvent.START)
        child.incarnations += 1
        child.since = None
        self._out.append(Start(child))

    def _stop(self, child: C) -> None:
        child.life.fire(ChildEvent.STOP)
        self._out.append(Stop(child))

    def _put_away(self, child: C) -> None:
        """It does not run and will not be restarted: keep its spec, where specs are kept."""
        if child.temporary or self.flags.dynamic:
            self._forget(child)
        else:
            self._out.append(Rest(child))

    def _forget(self, child: C) -> None:
        if child.state is ChildState.RESTARTING:
            child.life.fire(ChildEvent.STOP)
        child.life.fire(ChildEvent.FORGET)
        del self.children[child.spec.name]
        self._answer_start(child, ActorStopped(self._path_of(child)))
        self._out.append(Forget(child))

    def _answer_start(self, child: C, error: BaseException | None) -> None:
        call, child.start_call = child.start_call, None
        self._answer(call, error)

    def _answer(self, call: Hashable | None, error: BaseException | None) -> None:
        if call is not None:
            self._out.append(Answered(call, error))

    def _path_of(self, child: C) -> str:
        return f"{self.path.rstrip('/')}/{child.spec.name}"

    def _flush(self) -> list[Action[C]]:
        out, self._out = self._out, []
        return out


def _nothing() -> None:
    pass
