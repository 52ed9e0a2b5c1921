"""A tree of supervised actors, as naively as the manual page of OTP's supervisor can be written down.

Everything happens at once: a start or a stop is a call that returns, a restart is a loop, an actor that
ends tells the one above it. There is a clock for intensity windows and delays, and no concurrency at
all; where the real one stops several at a time, the trace says `Together`.

Written from supervisor(3), supervisor.erl and the table in the design, not from the code under test.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from enum import Enum

import attrs

from aip_trio.actors import AutoShutdown, RestartType, Strategy
from tests.actors.model._nodes import Kind, Node, Start

__all__ = ["Entry", "Model", "ModelActor", "Stands", "Together"]

#: ("start", path, time), ("up", path, restarts), ("stop", path, why, time),
#: ("down", path, "stopped" or "crashed"), ("escalated", path, error, number of causes)
Entry = tuple[str | float, ...]

#: The exception of every crash that a script asks for.
BOOM = "Boom"
DECLINED = "declined"


@attrs.frozen
class Together:
    """Several actors' traces, in any interleaving."""

    traces: tuple[tuple[str, list[Entry | Together]], ...]


class Stands(Enum):
    """Where an actor stands between two steps."""

    IDLE = "idle"
    RESTARTING = "restarting"
    RUNNING = "running"


@attrs.define(eq=False)
class ModelActor:
    """One child, over all its incarnations."""

    node: Node
    above: Family
    stands: Stands = Stands.IDLE
    constructed: bool = False
    attempts: int = 0
    failures: int = 0
    up_since: float = 0.0
    restarts: list[tuple[float, bool]] = attrs.field(factory=lambda: list[tuple[float, bool]]())
    pending: object = None
    #: stopped for a sibling's restart, which is to bring it back
    awaits: bool = False
    family: Family | None = None

    @property
    def path(self) -> str:
        return f"{self.above.path.rstrip('/')}/{self.node.name}"

    @property
    def temporary(self) -> bool:
        return self.node.restart is RestartType.TEMPORARY


@attrs.define(eq=False)
class Family:
    """The children of one incarnation of a supervisor or owner, or of the root (no actor)."""

    path: str
    actor: ModelActor | None
    strategy: Strategy
    intensity: int
    period: float
    auto_shutdown: AutoShutdown
    owned: bool
    children: list[ModelActor] = attrs.field(factory=lambda: list[ModelActor]())
    restarts: list[tuple[float, bool]] = attrs.field(factory=lambda: list[tuple[float, bool]]())
    alive: bool = True

    @property
    def keeps_specs(self) -> bool:
        return not self.owned and self.strategy is not Strategy.SIMPLE_ONE_FOR_ONE

    def child(self, name: str) -> ModelActor | None:
        return next((child for child in self.children if child.node.name == name), None)


class Model:
    """The whole system. Methods named as calls return "ok" or the refusal's class."""

    def __init__(self, intensity: int, period: float) -> None:
        self.now = 0.0
        self.trace: list[Entry | Together] = []
        self.failed: str | None = None
        self.coming_starts: defaultdict[str, deque[Start]] = defaultdict(deque)
        self.bad_stops: defaultdict[str, int] = defaultdict(int)
        self._window = (intensity, period)
        self._timers: list[tuple[float, int, ModelActor]] = []
        self._timers_made = 0
        self.root = Family("/", None, Strategy.ONE_FOR_ONE, intensity, period, AutoShutdown.NEVER, owned=True)

    # Looking

    def actors(self, family: Family | None = None) -> Iterator[ModelActor]:
        """All that stand in the tree, parents first."""
        for child in (family or self.root).children:
            yield child
            if child.family is not None:
                yield from self.actors(child.family)

    def take_trace(self) -> list[Entry | Together]:
        """What happened since it was asked last."""
        trace, self.trace = self.trace, []
        return trace

    # What happens

    def crash(self, actor: ModelActor) -> None:
        """A handler raises."""
        self._ends(actor, BOOM)

    def exit(self, actor: ModelActor) -> None:
        """It ends by itself, normally."""
        self._ends(actor, None)

    def advance(self, to: float) -> None:
        """Time passes, and delays fall due."""
        while self.failed is None and (due := min(self._timers, default=None)) and due[0] <= to:
            self._timers.remove(due)
            self.now, number, actor = due
            if actor.above.alive and actor.pending == number:
                self._try(actor.above, actor)
        self.now = to

    def close(self) -> None:
        """The system is left."""
        self._stop_all(self.root)

    # Calls

    def start_child(self, family: Family, node: Node) -> str:
        """Also spawn, and start_child_with."""
        if node.significant and (family.owned or family.auto_shutdown is AutoShutdown.NEVER):
            return "InvalidSpec"
        present = family.child(node.name)
        if present is not None:
            if family.owned:
                return "NameTaken"
            return "ChildAlreadyStarted" if present.stands is Stands.RUNNING else "ChildAlreadyPresent"
        child = ModelActor(node, family)
        family.children.append(child)
        problem = self._start(child)
        if problem == DECLINED:
            self._put_away(child)
        elif problem is not None:
            family.children.remove(child)
            return f"StartFailed from {problem}"
        return "ok"

    def terminate_child(self, family: Family, name: str) -> str:
        child = family.child(name)
        if child is None:
            return "ChildNotFound"
        if child.stands is not Stands.IDLE:
            self._stop(child)
            self._put_away(child)
            self._call_off(family)
        return "ok"

    def _call_off(self, family: Family) -> None:
        """Nobody awaits a restart that is not due any more."""
        due = [child for child in family.children if child.stands is Stands.RESTARTING]
        for child in family.children:
            child.awaits = child.awaits and any(child in self._together_with(family, d) for d in due)

    def restart_child(self, family: Family, name: str) -> str:
        child = family.child(name)
        if child is None or child.stands is not Stands.IDLE:
            return self._refusal(child)
        problem = self._start(child)
        return "ok" if problem in (None, DECLINED) else f"StartFailed from {problem}"

    def delete_child(self, family: Family, name: str) -> str:
        child = family.child(name)
        if child is None or child.stands is not Stands.IDLE:
            return self._refusal(child)
        family.children.remove(child)
        return "ok"

    def _refusal(self, child: ModelActor | None) -> str:
        if child is None:
            return "ChildNotFound"
        return "ChildRunning" if child.stands is Stands.RUNNING else "ChildRestarting"

    # One incarnation

    def _start(self, actor: ModelActor) -> str | None:
        """Start it with all below it: None, or DECLINED, or the error's class."""
        actor.attempts += 1
        actor.stands, actor.pending, actor.awaits = Stands.IDLE, None, False
        coming = self.coming_starts[actor.path]
        how = coming.popleft() if coming else Start.GOOD
        if how is Start.FAIL_MAKING:
            self.trace.append(("down", actor.path, "crashed"))
            return BOOM
        if how is Start.DECLINE_MAKING:
            return DECLINED
        actor.constructed = True
        self.trace.append(("start", actor.path, self.now))
        if how is Start.DECLINE:
            return DECLINED
        if how is Start.FAIL:
            return self._finish(actor, BOOM)
        if not self._begin(actor):
            return self._finish(actor, "StartFailed")
        actor.stands, actor.up_since = Stands.RUNNING, self.now
        self.trace.append(("up", actor.path, actor.attempts - 1))
        return None

    def _begin(self, actor: ModelActor) -> bool:
        node = actor.node
        if node.kind is Kind.WORKER:
            return True
        owned = node.kind is Kind.OWNER
        window = self._window if owned else (node.intensity, node.period)
        actor.family = Family(actor.path, actor, node.strategy, *window, node.auto_shutdown, owned)
        if node.kind is Kind.DYNAMIC:
            return True
        for below in node.children:
            child = ModelActor(below, actor.family)
            actor.family.children.append(child)
            problem = self._start(child)
            if problem == DECLINED:
                self._put_away(child)
            elif problem is not None:
                return False
        return True

    def _finish(self, actor: ModelActor, why: str | None, *, told: bool = False) -> str | None:
        """The end of an incarnation: its children, then its stopping(); the error that it ended with."""
        if actor.family is not None:
            self._stop_all(actor.family)
            actor.family = None
        if not actor.node.brutal:
            reason = why or ("shutdown" if told else "normal")
            self.trace.append(("stop", actor.path, reason, self.now))
            if self.bad_stops[actor.path]:
                self.bad_stops[actor.path] -= 1
                why = BOOM if why is None else "ExceptionGroup"
        self.trace.append(("down", actor.path, "stopped" if why is None else "crashed"))
        delays = actor.node.delays
        if delays and actor.stands is Stands.RUNNING and self.now - actor.up_since >= delays.reset_after:
            actor.failures = 0
        actor.stands = Stands.IDLE
        return why

    def _stop(self, actor: ModelActor) -> None:
        """Its supervisor stops it; a restart that was due is not any more."""
        if actor.stands is Stands.RUNNING:
            self._finish(actor, None, told=True)
        actor.stands, actor.pending = Stands.IDLE, None

    def _stop_all(self, family: Family) -> None:
        family.alive = False
        if family.strategy is Strategy.SIMPLE_ONE_FOR_ONE:
            self._stop_together(family)
        else:
            for child in reversed(family.children):
                self._stop(child)
        family.children.clear()

    def _stop_together(self, family: Family) -> None:
        outside = self.trace
        traces: list[tuple[str, list[Entry | Together]]] = []
        for child in family.children:
            self.trace = []
            self._stop(child)
            traces.append((child.path, self.trace))
        self.trace = outside
        self.trace.append(Together(tuple(traces)))

    # Supervision

    def _ends(self, actor: ModelActor, why: str | None) -> None:
        """It ends by itself, and the one above decides."""
        family = actor.above
        crashed = self._finish(actor, why) is not None
        restart = actor.node.restart
        if restart is RestartType.PERMANENT or (restart is RestartType.TRANSIENT and crashed):
            self._restart(family, actor, crashed)
        else:
            self._put_away(actor)
            self._auto_shutdown(family, actor)

    def _put_away(self, actor: ModelActor) -> None:
        if actor.temporary or not actor.above.keeps_specs:
            actor.above.children.remove(actor)

    def _auto_shutdown(self, family: Family, ended: ModelActor) -> None:
        if not ended.node.significant or family.actor is None:
            return
        others = [c for c in family.children if c.node.significant and c.stands is not Stands.IDLE]
        if family.auto_shutdown is AutoShutdown.ANY_SIGNIFICANT or not others:
            self._stop_all(family)
            self._ends(family.actor, None)

    def _restart(self, family: Family, child: ModelActor, crashed: bool) -> None:
        """Count it; then restart it and those that go with it, now or later, or give up."""
        delays = child.node.delays
        if delays is not None:
            child.failures += 1
            if delays.max_retries is not None and child.failures > delays.max_retries:
                self._give_up(family, "RetriesExhausted", int(crashed))
                return
            delay = min(delays.maximum, delays.initial * delays.multiplier ** (child.failures - 1))
            if delay > 0:
                for other in reversed(self._together_with(family, child)):
                    if other is not child:
                        self._stop_for_restart(other)
                self._timers_made += 1
                child.stands, child.pending = Stands.RESTARTING, self._timers_made
                self._timers.append((self.now + delay, self._timers_made, child))
                return
        else:
            restarts = child.restarts if family.owned else family.restarts
            restarts.append((self.now, crashed))
            restarts[:] = [restart for restart in restarts if self.now - restart[0] <= family.period]
            if len(restarts) > family.intensity:
                self._give_up(family, "RestartIntensityExceeded", sum(cause for _, cause in restarts))
                return
        self._try(family, child)

    def _together_with(self, family: Family, child: ModelActor) -> list[ModelActor]:
        if family.strategy is Strategy.ONE_FOR_ALL:
            return list(family.children)
        if family.strategy is Strategy.REST_FOR_ONE:
            return family.children[family.children.index(child) :]
        return [child]

    def _stop_for_restart(self, other: ModelActor) -> None:
        other.awaits = other.awaits or other.stands is not Stands.IDLE
        self._stop(other)
        if other.temporary:
            other.above.children.remove(other)

    def _try(self, family: Family, child: ModelActor) -> None:
        """One attempt; one that fails counts as one more restart."""
        child.awaits = True  # also where one that is started before it fails
        for other in reversed(self._together_with(family, child)):
            if other is not child:
                self._stop_for_restart(other)
        for member in self._together_with(family, child):
            problem = self._start(member)
            if problem == DECLINED:
                self._put_away(member)
            elif problem is not None:
                self._restart(family, member, True)
                return

    def _give_up(self, family: Family, error: str, causes: int) -> None:
        self._stop_all(family)
        self.trace.append(("escalated", family.path, error, causes))
        if family.actor is None:
            self.failed = error
        else:
            self._ends(family.actor, error)
