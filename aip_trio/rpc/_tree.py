"""What has a tree of actors of its own: started and stopped as one, in a system that runs or in its own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import attrs
import trio

from aip_trio.actors import (
    ActorSystem,
    ChildSpec,
    RestartType,
    Supervisor,
    SupervisorRef,
    current_system,
    open_system,
)
from aip_trio.errors import NoSystem, StartCalledOff, StartFailed

__all__ = ["TreeOwner"]


@attrs.frozen(eq=False)
class _Start:
    """A start that is under way, until it is ``over``."""

    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    over: trio.Event = attrs.field(factory=trio.Event)


class _Top(Supervisor):
    """The top of the tree."""

    def __init__(self, owner: TreeOwner) -> None:
        super().__init__(strategy="one_for_one")
        self._owner = owner

    def children(self) -> Iterable[ChildSpec]:
        return self._owner._specs()


class TreeOwner:
    """``await x.start()`` spawns its tree below the root of the system that the task runs in.

    ``async with x:`` does the same, and opens a system for it where there is none.
    """

    #: the name of its top among its siblings
    _name = "tree"

    def __init__(self) -> None:
        self._top: SupervisorRef | None = None
        self._own: AsyncExitStack | None = None
        self._start: _Start | None = None

    def _specs(self) -> Iterable[ChildSpec]:
        """The children of its tree, in order of start."""
        return ()

    def _begin(self) -> None:
        """Its start was called. May raise, and it does not start."""

    def _ended(self) -> None:
        """Its tree has ended, for whatever reason, or did not come up. May be called more than once."""

    async def start(self) -> None:
        """Start it, and wait until it is up. A checkpoint.

        Raises NoSystem outside of a running system; StartFailed with the cause, or the cause itself where it
        is an OSError, such as AddressInUse; StartCalledOff where `stop` comes first.
        """
        system = current_system()
        self._begin()
        start = self._start = _Start()
        try:
            with start.scope:
                await self._spawn(system)
        except StartFailed as failed:
            cause = _root_of(failed)
            raise (cause if isinstance(cause, OSError) else failed) from None
        finally:
            if self._top is None:
                self._ended()
            start.over.set()
        if self._top is None:
            raise StartCalledOff(type(self).__name__)

    async def _spawn(self, system: ActorSystem) -> None:
        name = self._name if system.find(f"/{self._name}") is None else None
        # Temporary: what has given up is not tried again behind its owner's back. In a system of its own it
        # is the whole point, and its failure is the system's.
        restart = RestartType.TEMPORARY if self._own is None else RestartType.TRANSIENT
        self._top = await system.spawn(_Top, self, name=name, restart=restart)
        system.nursery.start_soon(self._watch, self._top)

    async def _watch(self, top: SupervisorRef) -> None:
        with trio.CancelScope(shield=True):  # its system ends the tree, however that is ended itself
            await top.stopped()
        self._end(top)

    def _end(self, top: SupervisorRef) -> None:
        """This tree of it has ended; it may have been started again since."""
        if self._top is top:
            self._top = None
            self._ended()

    async def stop(self) -> None:
        """Stop it in order, and wait for its end. A checkpoint; harmless where it does not run.

        A `start` that is under way is called off.
        """
        if self._start is not None and not self._start.over.is_set():
            self._start.scope.cancel()
            await self._start.over.wait()
        top = self._top
        if top is None:
            await trio.lowlevel.checkpoint()
        else:
            await top.stop()
            self._end(top)

    async def stopped(self) -> None:
        """Wait until it has ended, for whatever reason; at once where it does not run. A checkpoint."""
        top = self._top
        if top is None:
            await trio.lowlevel.checkpoint()
        else:
            await top.stopped()
            self._end(top)

    async def __aenter__(self) -> Self:
        try:
            current_system()
        except NoSystem:
            self._own = AsyncExitStack()
            await self._own.enter_async_context(open_system(intensity=0))
        try:
            await self.start()
        except BaseException as error:
            if self._own is not None:
                trace = error.__traceback__
                await self._own.__aexit__(type(error), error, trace)  # noqa: ASYNC102 - its cancel_grace bounds it
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()  # noqa: ASYNC102 - in order, as the block's end
        finally:
            if self._own is not None:
                await self._own.__aexit__(kind, error, trace)  # noqa: ASYNC102 - its cancel_grace bounds it


def _root_of(failed: BaseException) -> BaseException:
    """What is at the bottom of a failed start: each supervisor on the way up has wrapped it once more."""
    while isinstance(failed, StartFailed):
        failed = failed.cause
    return failed
