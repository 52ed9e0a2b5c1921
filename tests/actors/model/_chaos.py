"""Scripts without a model, on real actors that take their time: calls overlap, and are given up.

What happens depends on who is faster, so only this is checked: everything comes to an end, whatever was
begun is ended once, nobody lives twice at once, and nothing is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle

import attrs
import trio

from aip_trio.actors import ActorRef, ActorSystem, SupervisorRef, open_system
from aip_trio.errors import AipError, RestartIntensityExceeded
from tests.actors.model import _script as steps
from tests.actors.model._compare import LeftByError
from tests.actors.model._nodes import Node, Start
from tests.actors.model._real import CrashNow, ExitNow, SpawnNow, World, spec_of
from tests.actors.model._run import PATIENCE, run

__all__ = ["Haste", "rush"]


@attrs.frozen
class Haste:
    """A script in a hurry: the times are used in turn, again and again."""

    script: steps.Script
    #: what each start and stop takes
    pauses: tuple[float, ...]
    #: what passes between two steps
    gaps: tuple[float, ...]
    #: whether the call that waits longest is cancelled after a step
    withdrawals: tuple[bool, ...]
    #: whether everything is left to come to rest before the end
    rest: bool


def rush(haste: Haste) -> None:
    """Perform it in a Trio run of its own, in virtual time."""
    run(_Rush(haste).run)


@attrs.define(eq=False)
class _Rush:
    haste: Haste
    world: World = attrs.field(init=False)
    system: ActorSystem = attrs.field(init=False)
    nursery: trio.Nursery = attrs.field(init=False)
    waiting: dict[trio.CancelScope, str] = attrs.field(factory=lambda: dict[trio.CancelScope, str]())

    async def run(self) -> None:
        self.world = World(pauses=cycle(self.haste.pauses))
        with trio.fail_after(PATIENCE), trio.CancelScope() as outside:
            async with trio.open_nursery() as self.nursery:
                try:
                    await self._live(outside)
                except* (RestartIntensityExceeded, LeftByError):
                    pass
        _none("calls still wait", list(self.waiting.values()))
        _none("lives not ended as begun", [life for life in self.world.lives if not life.complete])
        _none("two at once", self.world.doubles)

    async def _live(self, outside: trio.CancelScope) -> None:
        script = self.haste.script
        gaps, withdrawals = cycle(self.haste.gaps), cycle(self.haste.withdrawals)
        async with open_system(intensity=script.intensity, period=script.period) as self.system:
            for step in (*script.before, steps.Spawn(script.tree), *script.steps):
                self._perform(step)
                await trio.sleep(next(gaps))
                if next(withdrawals) and self.waiting:
                    next(iter(self.waiting)).cancel()
            if self.haste.rest:
                await trio.sleep(PATIENCE / 2)
                _none("calls still wait", list(self.waiting.values()))
                states = [(node.path, node.state) for node in self.system.tree().walk()]
                _none("restless", [s for s in states if s[1] not in ("idle", "running")])
            if script.end == "cancel":
                outside.cancel()
                await trio.sleep_forever()
            if script.end == "error":
                raise LeftByError

    def _perform(self, step: steps.Step) -> None:
        match step:
            case steps.Spawn(node, coming):
                self._spawn(node, coming)
            case steps.Crash(target, background, coming):
                self._tell(target, CrashNow(background), coming)
            case steps.Exit(target, coming):
                self._tell(target, ExitNow(), coming)
            case steps.Stop(target):
                if ref := self._pick(target):
                    self._call(step, ref.stop())
            case steps.Coming(target, starts):
                if ref := self._pick(target):
                    self.world.coming_starts[ref.path] = deque(starts)
            case steps.BadStop(target):
                if ref := self._pick(target):
                    self.world.bad_stops[ref.path] = 1
            case steps.StartChild():
                self._start_child(step)
            case steps.Terminate(target):
                self._call_above(step, target, lambda head, name: head.terminate_child(name))
            case steps.Restart(target):
                self._call_above(step, target, lambda head, name: head.restart_child(name))
            case steps.Delete(target):
                self._call_above(step, target, lambda head, name: head.delete_child(name))
            case steps.Advance() | steps.Look():
                pass

    def _pick(self, target: int) -> ActorRef | None:
        paths = [node.path for node in self.system.tree().walk()][1:]
        return self.system.find(paths[target % len(paths)]) if paths else None

    def _spawn(self, node: Node, coming: tuple[Start, ...]) -> None:
        self.world.coming_starts[f"/{node.name}"] = deque(coming)
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
        self._call(node, call)

    def _tell(self, target: int, message: CrashNow | ExitNow, coming: tuple[Start, ...]) -> None:
        ref = self._pick(target)
        if ref is not None and not ref._cell.at_rest:
            self.world.coming_starts[ref.path] = deque(coming)
            ref.tell_nowait(message)

    def _start_child(self, step: steps.StartChild) -> None:
        ref = self._pick(step.target)
        if isinstance(ref, SupervisorRef):
            self.world.coming_starts[f"{ref.path}/{step.node.name}"] = deque(step.coming)
            spec = spec_of(self.world, step.node, ref.path)
            self._call(step, ref.start_child(spec))
            self._call(step, ref.start_child_with(step.node.name, name=step.node.name))
        elif ref is not None:
            self._call(step, ref.ask(SpawnNow(step.node)))

    def _call_above(
        self, step: steps.Step, target: int, call: Callable[[SupervisorRef, str], Awaitable[object]]
    ) -> None:
        ref = self._pick(target)
        above = None if ref is None else self.system.find(ref.path.rpartition("/")[0])
        if ref is not None and isinstance(above, SupervisorRef):
            self._call(step, call(above, ref.name))

    def _call(self, what: object, call: Awaitable[object]) -> None:
        """In the background; it may be refused, or withdrawn, but has to come to an end."""
        scope = trio.CancelScope()
        self.waiting[scope] = repr(what)

        async def wait() -> None:
            with scope:
                try:
                    await call
                except AipError:
                    pass
                finally:
                    del self.waiting[scope]

        self.nursery.start_soon(wait)


def _none(what: str, found: Sequence[object]) -> None:
    if found:
        raise AssertionError(f"{what}: {found}")
