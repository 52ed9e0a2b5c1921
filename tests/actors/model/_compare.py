"""One script, on the model and on real actors, side by side."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    ActorRef,
    ActorSystem,
    Crashed,
    Escalated,
    EventSubscription,
    Restarted,
    Started,
    Stopped,
    SupervisorRef,
    open_system,
)
from aip_trio.errors import AipError, RestartIntensityExceeded
from tests.actors.model import _script as steps
from tests.actors.model._model import Entry, Family, Model, ModelActor, Stands, Together
from tests.actors.model._nodes import Kind, Node, Start, paths_of
from tests.actors.model._real import CrashNow, ExitNow, SpawnNow, World, refusal, spec_of
from tests.actors.model._run import PATIENCE, run

__all__ = ["LeftByError", "compare"]

#: A step's share of the clock where there are delays, so that no two of them ever fall due together.
_TICK = 2.0**-12


class LeftByError(Exception):
    """What the body raises to leave the system."""


def compare(script: steps.Script) -> None:
    """Perform it in a Trio run of its own, in virtual time; raise AssertionError where the two differ."""
    run(_Comparison(script).run)


@attrs.define(eq=False)
class _Comparison:
    script: steps.Script
    world: World = attrs.field(factory=World)
    events: list[Entry] = attrs.field(factory=lambda: list[Entry]())
    uids: dict[ModelActor, int] = attrs.field(factory=lambda: dict[ModelActor, int]())
    universe: list[str] = attrs.field(factory=lambda: list[str]())
    model: Model = attrs.field(init=False)
    system: ActorSystem = attrs.field(init=False)

    async def run(self) -> None:
        self.model = Model(self.script.intensity, self.script.period)
        self.model.now = trio.current_time()
        self.universe = paths_of(self.script.tree, "/")
        raised: Exception | None = None
        with trio.CancelScope() as outside:
            async with trio.open_nursery() as nursery:
                try:
                    await self._live(nursery, outside)
                except Exception as error:  # noqa: BLE001 - judged below, outside of the nursery
                    raised = error
        if raised is not None and not isinstance(raised, RestartIntensityExceeded | LeftByError):
            raise raised
        self._ended(raised)

    async def _live(self, nursery: trio.Nursery, outside: trio.CancelScope) -> None:
        async with open_system(intensity=self.script.intensity, period=self.script.period) as self.system:
            subscription = contextlib.ExitStack()
            events = subscription.enter_context(self.system.events.subscribe(capacity=10_000))
            nursery.start_soon(self._listen, events)
            await self._perform_all()
            if self.script.end == "cancel":
                outside.cancel()
                await trio.sleep_forever()
            if self.script.end == "error":
                raise LeftByError

    async def _listen(self, events: EventSubscription) -> None:
        with trio.CancelScope(shield=True):
            async for event in events:
                match event:
                    case Started(path):
                        self.events.append(("up", path, 0))
                    case Restarted(path, _, restarts):
                        self.events.append(("up", path, restarts))
                    case Stopped(path):
                        self.events.append(("down", path, "stopped"))
                    case Crashed(path):
                        self.events.append(("down", path, "crashed"))
                    case Escalated(path, _, RestartIntensityExceeded() as error):
                        name = type(error).__name__
                        self.events.append(("escalated", path, name, len(error.causes)))
                    case _:
                        pass

    async def _perform_all(self) -> None:
        all_steps = [*self.script.before, steps.Spawn(self.script.tree), *self.script.steps]
        for number, step in enumerate(all_steps):
            if self.script.delays:
                await self._advance(_TICK)
            await self._perform(step)
            await wait_all_tasks_blocked()
            self._compare(f"after step {number}, {step}")

    def _ended(self, raised: Exception | None) -> None:
        self.model.close()
        self._compare_traces("at the end")
        _same("lives not ended as begun", [life for life in self.world.lives if not life.complete], [])
        if self.model.failed:
            expected: str | None = self.model.failed
        else:
            expected = LeftByError.__name__ if self.script.end == "error" else None
        _same("raised by open_system", None if raised is None else type(raised).__name__, expected)

    # Steps

    async def _perform(self, step: steps.Step) -> None:
        match step:
            case steps.Spawn(node, coming):
                self._will(f"/{node.name}", coming)
                await self._spawn(node)
            case steps.Crash(target, background, coming):
                if actor := self._pick(target, _runs):
                    self._will(actor.path, coming)
                    self.model.crash(actor)
                    self._find(actor).tell_nowait(CrashNow(background))
            case steps.Exit(target, coming):
                if actor := self._pick(target, _runs):
                    self._will(actor.path, coming)
                    self.model.exit(actor)
                    self._find(actor).tell_nowait(ExitNow())
            case steps.Stop(target):
                if actor := self._pick(target, lambda _: True):
                    ref = self._find(actor)
                    self.model.terminate_child(actor.above, actor.node.name)
                    await self._answer("ok", ref.stop())
            case steps.Coming(target, starts):
                actor = self._pick(target, lambda _: True)
                path = self.universe[target % len(self.universe)] if actor is None else actor.path
                self._will(path, starts)
            case steps.BadStop(target):
                actor = self._pick(target, _runs)
                path = self.universe[target % len(self.universe)] if actor is None else actor.path
                self.model.bad_stops[path] = self.world.bad_stops[path] = 1
            case steps.StartChild():
                await self._start_child(step)
            case steps.Advance(seconds):
                await self._advance(seconds)
            case steps.Look(target):
                self._look(target)
            case steps.Terminate() | steps.Restart() | steps.Delete():
                await self._call(step)

    def _will(self, path: str, starts: tuple[Start, ...]) -> None:
        """How the next starts there are to go; none: as they were to go before."""
        if starts:
            self.model.coming_starts[path] = deque(starts)
            self.world.coming_starts[path] = deque(starts)

    def _pick(self, target: int, fits: Callable[[ModelActor], bool]) -> ModelActor | None:
        actors = list(self.model.actors())
        start = target % len(actors) if actors else 0
        return next(filter(fits, actors[start:] + actors[:start]), None)

    def _find(self, actor: ModelActor) -> ActorRef:
        ref = self.system.find(actor.path)
        assert ref is not None, f"{actor.path} is not there"
        return ref

    async def _answer(self, expected: str, call: Awaitable[object]) -> None:
        """A call's answer, and that it comes at once."""
        before = trio.current_time()
        with trio.fail_after(PATIENCE):
            try:
                answer = await call
            except AipError as error:
                answer = refusal(error)
        answer = answer if isinstance(answer, str) else "ok"
        _same("a call's answer", answer, expected)
        _same("when a call was answered", trio.current_time(), before)

    async def _advance(self, seconds: float) -> None:
        to = trio.current_time() + seconds
        self.model.advance(to)
        await trio.sleep_until(to)
        await wait_all_tasks_blocked()

    async def _spawn(self, node: Node) -> None:
        expected = self.model.start_child(self.model.root, node)
        self.universe += [path for path in paths_of(node, "/") if path not in self.universe]
        spec = spec_of(self.world, node, "/")
        call = self.system.spawn(
            spec.factory,
            *spec.args,
            name=spec.name,
            restart=spec.restart,
            shutdown=spec.shutdown,
            significant=spec.significant,
            backoff=spec.backoff,
        )
        await self._answer(expected, call)

    async def _start_child(self, step: steps.StartChild) -> None:
        node, amiss = step.node, step.amiss
        actor = self._pick(step.target, _starts_children)
        if actor is None:
            return
        ref = self._find(actor)
        self._will(f"{actor.path}/{node.name}", step.coming)
        if actor.node.kind is Kind.OWNER:
            assert actor.family is not None
            await self._answer(self._started(actor.family, node), ref.ask(SpawnNow(node)))
        elif isinstance(ref, SupervisorRef):
            await self._start_below(ref, actor, node, amiss)

    async def _start_below(self, ref: SupervisorRef, actor: ModelActor, node: Node, amiss: bool) -> None:
        if actor.family is None:
            await self._answer(_down(actor), ref.start_child(spec_of(self.world, node, ref.path)))
        elif amiss == (actor.node.kind is Kind.DYNAMIC):
            expected = "InvalidSpec" if amiss else self._started(actor.family, node)
            await self._answer(expected, ref.start_child(spec_of(self.world, node, ref.path)))
        else:
            (template, *_) = (*actor.node.children, node)
            child = attrs.evolve(template, name=node.name)
            expected = "InvalidSpec" if amiss else self._started(actor.family, child)
            await self._answer(expected, ref.start_child_with(node.name, name=node.name))

    def _started(self, family: Family, node: Node) -> str:
        self.universe += [path for path in paths_of(node, family.path) if path not in self.universe]
        return self.model.start_child(family, node)

    async def _call(self, step: steps.Terminate | steps.Restart | steps.Delete) -> None:
        actor, name = self._callee(step.target, step.amiss)
        ref = None if actor is None else self._find(actor)
        if actor is None or not isinstance(ref, SupervisorRef):
            return
        expected = _down(actor)
        call: Awaitable[object]
        match step:
            case steps.Terminate():
                decide, call = self.model.terminate_child, ref.terminate_child(name)
            case steps.Restart():
                self._will(f"{ref.path}/{name}", step.coming)
                decide, call = self.model.restart_child, ref.restart_child(name)
            case _:
                decide, call = self.model.delete_child, ref.delete_child(name)
        if actor.family is not None:
            expected = decide(actor.family, name)
        await self._answer(expected, call)

    def _callee(self, target: int, amiss: bool) -> tuple[ModelActor | None, str]:
        """Whom to call, about whom: an actor's supervisor; or a supervisor, about nobody."""
        if amiss:
            return self._pick(target, lambda actor: actor.node.supervises), "nobody"
        actor = self._pick(target, _has_supervisor)
        return (None, "") if actor is None else (actor.above.actor, actor.node.name)

    def _look(self, target: int) -> None:
        actor = self._pick(target, lambda actor: actor.node.supervises)
        ref = None if actor is None else self._find(actor)
        if actor is None or actor.family is None or not isinstance(ref, SupervisorRef):
            return
        children = actor.family.children
        kinds = [
            "supervisor" if child.node.supervises and child.constructed else "worker" for child in children
        ]
        expected = [
            (child.node.name, child.stands.value, kind) for child, kind in zip(children, kinds, strict=True)
        ]
        found = [(info.name, info.state.value, info.kind) for info in ref.which_children()]
        _same("which_children", found, expected)
        active = sum(child.stands is Stands.RUNNING for child in children)
        counts = attrs.astuple(ref.count_children())
        expected_counts = (len(children), active, kinds.count("supervisor"), kinds.count("worker"))
        _same("count_children", counts, expected_counts)

    # Comparing

    def _compare(self, when: str) -> None:
        self._compare_traces(when)
        if self.model.failed:
            return
        expected = [(a.path, a.stands.value, a.attempts - 1) for a in self.model.actors()]
        found = [(node.path, node.state, node.restarts) for node in self.system.tree().walk()][1:]
        _same(f"{when}: the tree", found, expected)
        for actor in self.model.actors():
            ref = self._find(actor)
            _same(f"{when}: the ref of {actor.path}", ref.uid, self.uids.setdefault(actor, ref.uid))
            self._compare_rest(when, actor, ref)
        _same(f"{when}: different uids", len(set(self.uids.values())), len(self.uids))

    def _compare_rest(self, when: str, actor: ModelActor, ref: ActorRef) -> None:
        """At rest is what does not run, and what no delay will bring back."""
        expected = actor.stands is Stands.IDLE and not actor.awaits
        _same(f"{when}: {actor.path} is at rest", ref._cell.at_rest, expected)

    def _compare_traces(self, when: str) -> None:
        expected = self.model.take_trace()
        for found, kinds in (
            (self.events, ("up", "down", "escalated")),
            (self.world.trace, ("start", "stop")),
        ):
            wanted = _only(expected, kinds)
            if not _agree(wanted, found):
                raise AssertionError(f"{when}:\n  by the model: {wanted}\n  in fact:      {found}")
            found.clear()


def _same(what: str, found: object, expected: object) -> None:
    """Compare, and tell: asserts in helpers are not rewritten by pytest."""
    if found != expected:
        raise AssertionError(f"{what}:\n  by the model: {expected}\n  in fact:      {found}")


def _runs(actor: ModelActor) -> bool:
    return actor.stands is Stands.RUNNING


def _has_supervisor(actor: ModelActor) -> bool:
    return actor.above.actor is not None and actor.above.actor.node.supervises


def _starts_children(actor: ModelActor) -> bool:
    return actor.node.supervises or (actor.node.kind is Kind.OWNER and _runs(actor))


def _down(actor: ModelActor) -> str:
    return "NotRunning" if actor.stands is Stands.RESTARTING or actor.awaits else "ActorStopped"


def _only(trace: list[Entry | Together], kinds: tuple[str, ...]) -> list[Entry | Together]:
    kept: list[Entry | Together] = []
    for item in trace:
        if isinstance(item, Together):
            kept.append(Together(tuple((path, _only(inner, kinds)) for path, inner in item.traces)))
        elif item[0] in kinds:
            kept.append(item)
    return kept


def _agree(expected: list[Entry | Together], found: list[Entry]) -> bool:
    """Whether this happened in this order, but for what happened together."""
    rest = deque(found)
    for item in expected:
        if not isinstance(item, Together):
            if not rest or rest.popleft() != item:
                return False
            continue
        chunk = [rest.popleft() for _ in range(min(_size([item]), len(rest)))]
        if not all(_agree(inner, [e for e in chunk if _is_below(e, path)]) for path, inner in item.traces):
            return False
    return not rest


def _size(trace: list[Entry | Together]) -> int:
    return sum(
        sum(_size(inner) for _, inner in item.traces) if isinstance(item, Together) else 1 for item in trace
    )


def _is_below(entry: Entry, path: str) -> bool:
    return f"{entry[1]}/".startswith(f"{path}/")
