"""Children that report late and in any order, around the pure `Supervision`, and what must hold all the same.

`Loose` stands for the shell and for the children. It performs the actions, checks each as it comes, and
lets a test choose what is reported next. A violation is an AssertionError.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Unpack

import attrs

from aip_trio.actors import ChildOptions, ChildSpec, ChildState, Outcome, OutcomeKind, Strategy
from aip_trio.actors._actions import Action, Answered, Came, Delay, Ended, Forget, Rest, Start, Stop
from aip_trio.actors._actor import Actor
from aip_trio.actors._child import Child
from aip_trio.actors._spec import Flags
from aip_trio.actors._supervision import Phase, Supervision
from aip_trio.errors import AipError, RestartIntensityExceeded, RetriesExhausted, StartFailed

__all__ = ["Body", "Call", "Loose", "spec"]

_GROUPS = (Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE)


class Body(Enum):
    """Where an incarnation really stands."""

    STARTING = "starting"
    RUNNING = "running"


@attrs.define(eq=False)
class Incarnation:
    """One life of a child, as its own task knows it."""

    body: Body = Body.STARTING
    told: bool = False
    #: a call waits for its start, so that it may go beside a sequence
    called: bool = False


@attrs.define(eq=False)
class Call:
    """A call, and its answers."""

    name: str
    #: the child that it starts, and the one that it stops
    child: Child | None = None
    stops: Child | None = None
    answers: list[BaseException | None] = attrs.field(factory=lambda: list[BaseException | None]())
    abandoned: bool = False


@attrs.define(eq=False)
class Loose:
    """A supervision whose children's reports are at the test's mercy."""

    flags: Flags
    now: float = 0.0
    lives: dict[Child, Incarnation] = attrs.field(factory=lambda: dict[Child, Incarnation]())
    delays: list[tuple[Child, int]] = attrs.field(factory=lambda: list[tuple[Child, int]]())
    past_delays: list[tuple[Child, int]] = attrs.field(factory=lambda: list[tuple[Child, int]]())
    calls: list[Call] = attrs.field(factory=lambda: list[Call]())
    known: list[Child] = attrs.field(factory=lambda: list[Child]())
    forgotten: list[Child] = attrs.field(factory=lambda: list[Child]())
    abandoned: set[Child] = attrs.field(factory=lambda: set[Child]())
    resting: set[Child] = attrs.field(factory=lambda: set[Child]())
    restarts: list[tuple[float, Child]] = attrs.field(factory=lambda: list[tuple[float, Child]]())
    failures: int = 0
    came: int = 0
    ended: list[BaseException | None] = attrs.field(factory=lambda: list[BaseException | None]())
    stopping: bool = False
    story: list[str] = attrs.field(factory=lambda: list[str]())
    core: Supervision[Child] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.core = Supervision(self.flags, path="/sup", draw=lambda: 0.5)

    # What a test does

    def begin(self, specs: Iterable[ChildSpec]) -> None:
        children = [Child(spec) for spec in specs]
        self.known += children
        self._perform("begin", self.core.begin(children, self.now))

    def up(self, child: Child) -> None:
        """Its started() has returned; it may have been told to stop meanwhile."""
        self.lives[child].body = Body.RUNNING
        self._perform(f"up {child.spec.name}", self.core.up(child, self.now))

    def down(self, child: Child, kind: OutcomeKind) -> None:
        """It has ended, whatever it was told."""
        life = self.lives.pop(child)
        error = ValueError() if kind is OutcomeKind.CRASHED else None
        if not life.told:
            self.failures += 1
        self._perform(
            f"{child.spec.name} ends: {kind.value}", self.core.down(child, Outcome(kind, error), self.now)
        )

    def due(self, number: int) -> None:
        """A delay is over: one that was asked for, or once more one that was over before."""
        child, turn = (self.delays + self.past_delays)[number]
        stale = number >= len(self.delays) or any(c is child and t > turn for c, t in self.delays)
        if number < len(self.delays):
            self.past_delays.append(self.delays.pop(number))
        actions = self.core.due(child, turn, self.now)
        self._perform(f"due {child.spec.name}", actions)
        self.holds(not (stale and actions), "a delay that is over, or overtaken, has no effect")

    def start_child(self, spec: ChildSpec) -> None:
        child = Child(spec)
        call = self._call(f"start {spec.name}", child)
        self.known.append(child)
        self._perform(call.name, self.core.start_child(child, call, self.now))

    def terminate_child(self, name: str) -> None:
        call = self._call(f"terminate {name}")
        self._perform(call.name, self.core.terminate_child(name, call, self.now))

    def stop(self, child: Child) -> None:
        """ref.stop(): this very child, whatever has become of it."""
        call = self._call(f"stop this {child.spec.name}", stops=child)
        self._perform(call.name, self.core.terminate_child(child, call, self.now))

    def restart_child(self, name: str) -> None:
        call = self._call(f"restart {name}")
        self._perform(call.name, self.core.restart_child(name, call, self.now))

    def delete_child(self, name: str) -> None:
        call = self._call(f"delete {name}")
        self._perform(call.name, self.core.delete_child(name, call, self.now))

    def abandon(self, call: Call) -> None:
        """The caller of start_child is cancelled, just before or after it was answered."""
        assert call.child is not None
        call.abandoned = True
        self.abandoned.add(call.child)
        self._perform(f"abandon {call.name}", self.core.abandon(call.child, call, self.now))

    def shutdown(self) -> None:
        self.stopping = True
        self._perform("shutdown", self.core.shutdown(self._call("shutdown"), self.now))

    def freeze(self) -> None:
        self.stopping = True
        self._perform("freeze", self.core.freeze(self.now))

    @property
    def abandonable(self) -> list[Call]:
        """Calls of start_child that still wait, or have just been answered well."""
        return [call for call in self.calls if call.child and not call.abandoned and not any(call.answers)]

    def settle(self) -> None:
        """Every child reports what it owes; every delay ends."""
        for _ in range(10_000):
            if self.delays:
                self.now += 1.0
                self.due(0)
                continue
            child = next(iter(self._owing()), None)
            if child is None:
                return
            if self.lives[child].told:
                self.down(child, OutcomeKind.STOPPED)
            else:
                self.up(child)
        raise AssertionError(f"it never comes to rest\n{self}")

    def _owing(self) -> list[Child]:
        return [child for child, life in self.lives.items() if life.told or life.body is Body.STARTING]

    def _call(self, name: str, child: Child | None = None, stops: Child | None = None) -> Call:
        call = Call(name, child, stops)
        self.calls.append(call)
        return call

    # What must hold

    def check_rest(self) -> None:
        """After `settle`: nothing waits for anything."""
        core = self.core
        self.holds(core.settled, "nothing is under way, nothing waits")
        for call in self.calls:
            self.holds(call.abandoned or len(call.answers) == 1, f"call {call.name} is answered")
        for child in self.core.children.values():
            self.holds(child.state in (ChildState.IDLE, ChildState.RUNNING), f"{child.spec.name} is settled")
            self.holds(child.active == (child in self.lives), f"{child.spec.name} lives as it should")
            self.holds(child.active or child in self.resting, f"{child.spec.name} is told that it rests")
        self.holds(self.came + len(self.ended) >= 1 or self.core.frozen, "it came up, or ended")

    def check_end(self) -> None:
        """After shutdown and `settle`."""
        self.holds(len(self.ended) == 1 and self.core.phase is Phase.ENDED, "it has ended, once")
        self.holds(not self.core.children, "it keeps no child")
        begun = [child for child in self.known if child.incarnations]
        self.holds(all(child in self.forgotten for child in begun), "every child was forgotten")

    def check_window(self) -> None:
        """It neither restarts more than it may, nor gives up before it has to."""
        window = self.flags.window
        for at, child in self.restarts:
            within = [c for t, c in self.restarts if at - window.period <= t <= at]
            if self.flags.owned:
                within = [c for c in within if c is child]
            self.holds(len(within) <= window.intensity, "restarts are within the intensity")
        for error in self.ended:
            if isinstance(error, RetriesExhausted):
                self.holds(self.failures > error.intensity, "it retried as often as it may")
            elif isinstance(error, RestartIntensityExceeded):
                self.holds(self.failures > window.intensity, "it restarted as often as it may")

    def holds(self, condition: bool, what: str) -> None:
        """Or else tell."""
        if not condition:
            raise AssertionError(f"it does not hold that {what}\n{self}")

    def __str__(self) -> str:
        return "\n".join(f"  {line}" for line in self.story)

    # Actions

    def _perform(self, cause: str, actions: list[Action[Child]]) -> None:
        self.story.append(f"{self.now:g}: {cause}")
        for action in actions:
            match action:
                case Start(child) | Stop(child) | Delay(child) | Rest(child) | Forget(child):
                    told = child.spec.name
                case Answered(call, error):
                    assert isinstance(call, Call)
                    told = f"{call.name}: {error!r}"
                case _:
                    told = ""
            self.story.append(f"    {type(action).__name__} {told}")
            self._check(action)
        failed = {call.child for call in self.calls if call.child and any(call.answers)}
        self.holds(failed.isdisjoint(self.core.children.values()), "a failed start_child leaves nothing")

    def _check(self, action: Action[Child]) -> None:
        if not isinstance(action, Answered):
            self.holds(not self.ended, "after Ended it does nothing")
        match action:
            case Start(child):
                self._check_start(child)
            case Stop(child):
                self._check_stop(child)
            case Delay(child, seconds, turn):
                self.holds(not self.stopping and seconds > 0, "a delay is of use")
                self.delays.append((child, turn))
            case Rest(child):
                self.holds(child not in self.lives and child not in self.forgotten, "what rests does not run")
                self.resting.add(child)
            case Forget(child):
                self.holds(
                    child not in self.lives and child not in self.forgotten, "what is forgotten has ended"
                )
                self.forgotten.append(child)
            case Answered(call, error):
                self._check_answer(call, error)
            case Came():
                self.came += 1
                self.holds(self.came == 1, "it comes up once")
                self.holds(not self._starting(), "all have started when it is up")
            case Ended(error):
                self.ended.append(error)
                self.holds(not self.lives, "all have ended when it has")
                failed = isinstance(error, StartFailed)
                self.holds(
                    failed == (not self.came and error is not None), "it ended for the reason it gives"
                )

    def _check_start(self, child: Child) -> None:
        self.holds(child not in self.lives, "there is one incarnation at a time")
        self.holds(child not in self.forgotten, "what is forgotten does not come back")
        self.holds(not self.stopping, "after shutdown nothing starts")
        self.holds(child not in self.abandoned, "what was abandoned does not start")
        called = child.start_call is not None
        self.holds(child.incarnations == 1 or called or not child.temporary, "temporary is not restarted")
        if not called:
            self._check_turn(child)
            if self.came and self.flags.strategy not in _GROUPS and child.spec.backoff is None:
                self.restarts.append((self.now, child))  # of a group, it is counted before it is stopped
        self.resting.discard(child)
        self.lives[child] = Incarnation(called=called)

    def _check_turn(self, child: Child) -> None:
        """In a group, and at first, one starts when those before it are up and those after it have ended."""
        if self.came and self.flags.strategy not in _GROUPS:
            return
        others = {c: life for c, life in self.lives.items() if c not in self.abandoned}
        for other, life in others.items():
            self.holds(life.called or life.told or life.body is Body.RUNNING, "the one before is up")
            self.holds(not self._after(other, child), "the later ones have ended")
            if self.flags.strategy is Strategy.ONE_FOR_ALL:
                self.holds(not life.told, "those to be stopped have ended")

    def _check_stop(self, child: Child) -> None:
        self.holds(child in self.lives, "what is stopped runs")
        self.holds(not self.lives[child].told, "it is told to stop once")
        by_call = bool(child.stop_calls) or child in self.abandoned
        self.lives[child].told = True
        if by_call or self.core.frozen or self.flags.strategy is Strategy.SIMPLE_ONE_FOR_ONE:
            return
        later = [other for other in self.lives if self._after(other, child)]
        self.holds(not later, "the later ones have ended first")

    def _check_answer(self, call: object, error: BaseException | None) -> None:
        assert isinstance(call, Call)
        call.answers.append(error)
        self.holds(len(call.answers) == 1, f"call {call.name} is answered once")
        self.holds(error is None or isinstance(error, AipError), "a refusal is one of ours")
        if call.child is not None and error is not None:
            self.holds(call.child not in self.lives, "what failed to start does not run")
        if call.stops is not None:
            self.holds(error is None, "a stop of this very child is never refused")
            self.holds(call.stops not in self.lives, "what was stopped does not run")

    def _starting(self) -> list[Child]:
        return [c for c, life in self.lives.items() if life.body is Body.STARTING and not life.told]

    def _after(self, other: Child, child: Child) -> bool:
        order = list(self.core.children.values())
        return other in order and child in order and order.index(other) > order.index(child)


def spec(name: str, **options: Unpack[ChildOptions]) -> ChildSpec:
    """Of a child that nobody makes."""
    return ChildSpec(name, Actor, **options)
