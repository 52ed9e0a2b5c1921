"""The same trees made of real actors, and what they report."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from itertools import cycle

import attrs
import trio

from aip_trio import actors
from aip_trio.actors import Actor, ActorRef, ChildSpec, Ignore, StopReason, Supervisor
from aip_trio.errors import AipError, StartFailed
from aip_trio.resilience import Backoff
from tests.actors.model._model import Entry
from tests.actors.model._nodes import Kind, Node, Start

__all__ = ["Boom", "CrashNow", "ExitNow", "SpawnNow", "World", "refusal", "spec_of"]


class Boom(Exception):
    """The crash that a script asks for."""


@attrs.frozen
class CrashNow:
    """Crash, in the handler or in a task of the nursery."""

    background: bool


@attrs.frozen
class ExitNow:
    """End normally."""


@attrs.frozen
class SpawnNow(actors.Request[str]):
    """Spawn a child; the answer is "ok" or the refusal."""

    node: Node


@attrs.define(eq=False)
class World:
    """What the actors of one run share: how their starts are to go, and what they have lived through."""

    coming_starts: defaultdict[str, deque[Start]] = attrs.field(factory=lambda: defaultdict(deque))
    bad_stops: defaultdict[str, int] = attrs.field(factory=lambda: defaultdict(int))
    #: seconds that each start and stop takes
    pauses: Iterator[float] = attrs.field(factory=lambda: cycle([0.0]))
    trace: list[Entry] = attrs.field(factory=lambda: list[Entry]())
    lives: list[Life] = attrs.field(factory=lambda: list[Life]())
    #: paths where two lived at once
    doubles: list[str] = attrs.field(factory=lambda: list[str]())

    async def pause(self) -> None:
        seconds = next(self.pauses)
        if seconds:
            await trio.sleep(seconds)


@attrs.define(eq=False)
class Life:
    """One incarnation: calls to its started() and stopping()."""

    world: World
    path: str
    brutal: bool
    declines: bool = False
    fails: bool = False
    declined: bool = False
    begun: int = 0
    ended: int = 0
    over: bool = False

    @property
    def complete(self) -> bool:
        """Whether whatever was begun has been ended, once."""
        owed = 0 if self.brutal or self.declined else self.begun
        return self.ended == owed and self.begun <= 1

    async def start(self) -> None:
        """In started()."""
        others = (life for life in self.world.lives if life.path == self.path and life.begun)
        if any(not (life.over or life.brutal) for life in others):  # who dies at once says nothing of it
            self.world.doubles.append(self.path)
        self.begun += 1
        self.world.trace.append(("start", self.path, trio.current_time()))
        await self.world.pause()
        if self.declines:
            self.declined = self.over = True
            raise Ignore
        if self.fails:
            raise Boom

    async def stop(self, reason: StopReason | BaseException) -> None:
        """In stopping()."""
        self.ended += 1
        why = reason.value if isinstance(reason, StopReason) else type(reason).__name__
        self.world.trace.append(("stop", self.path, why, trio.current_time()))
        try:
            await self.world.pause()
        finally:
            self.over = True
        if self.world.bad_stops[self.path]:
            self.world.bad_stops[self.path] -= 1
            raise Boom


class Worker(Actor):
    """A plain actor that does as it is told."""

    def __init__(self, life: Life, node: Node) -> None:
        self.life = life
        self.node = node

    async def started(self) -> None:
        await self.life.start()
        if self.node.kind is Kind.OWNER:
            for child in self.node.children:
                await spawn(self, self.life.world, child)

    async def stopping(self, reason: StopReason | BaseException) -> None:
        await self.life.stop(reason)

    @actors.handles
    async def crash(self, message: CrashNow) -> None:
        crash(self, message)

    @actors.handles
    async def exit(self, _: ExitNow) -> None:
        self.stop()

    @actors.handles
    async def spawn_now(self, message: SpawnNow) -> str:
        try:
            await spawn(self, self.life.world, message.node)
        except AipError as error:
            return refusal(error)
        return "ok"


class Head(Supervisor):
    """A supervisor that does as it is told."""

    def __init__(self, life: Life, node: Node) -> None:
        self.life = life
        self.node = node
        super().__init__(
            strategy=node.strategy,
            intensity=node.intensity,
            period=node.period,
            auto_shutdown=node.auto_shutdown,
        )

    def children(self) -> Iterable[ChildSpec]:
        below = self.life.path
        return [spec_of(self.life.world, child, below) for child in self.node.children]

    async def started(self) -> None:
        await self.life.start()

    async def stopping(self, reason: StopReason | BaseException) -> None:
        await self.life.stop(reason)

    @actors.handles
    async def crash(self, message: CrashNow) -> None:
        crash(self, message)

    @actors.handles
    async def exit(self, _: ExitNow) -> None:
        self.stop()


def crash(actor: Actor, message: CrashNow) -> None:
    """Here, or in the background."""
    if not message.background:
        raise Boom
    actor.nursery.start_soon(_fail)


async def _fail() -> None:
    raise Boom


async def spawn(owner: Actor, world: World, node: Node) -> ActorRef:
    """As an actor's own child."""
    spec = spec_of(world, node, owner.path)
    return await owner.spawn(
        spec.factory,
        *spec.args,
        name=spec.name,
        restart=spec.restart,
        shutdown=spec.shutdown,
        significant=spec.significant,
        backoff=spec.backoff,
    )


def make(world: World, below: str, node: Node, name: str | None = None) -> Actor:
    """The factory of all specs; a template's children add their names."""
    path = f"{below.rstrip('/')}/{name or node.name}"
    coming = world.coming_starts[path]
    start = coming.popleft() if coming else Start.GOOD
    if start is Start.FAIL_MAKING:
        raise Boom
    if start is Start.DECLINE_MAKING:
        raise Ignore
    life = Life(world, path, node.brutal, start is Start.DECLINE, start is Start.FAIL)
    world.lives.append(life)
    return (Head if node.supervises else Worker)(life, node)


def spec_of(world: World, node: Node, below: str) -> ChildSpec:
    """A child spec."""
    delays = node.delays
    return ChildSpec(
        node.name,
        make,
        world,
        below,
        node,
        restart=node.restart,
        significant=node.significant,
        shutdown="brutal" if node.brutal else None,
        backoff=None if delays is None else Backoff(**attrs.asdict(delays), jitter=False),
    )


def refusal(error: AipError) -> str:
    """What a call was answered with."""
    if isinstance(error, StartFailed):
        return f"StartFailed from {type(error.cause).__name__}"
    return type(error).__name__
