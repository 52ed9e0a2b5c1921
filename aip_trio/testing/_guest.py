"""A Trio run that synchronous code drives, one call at a time."""

import math
import queue
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar, TypeVarTuple

import attrs
import trio
from trio.testing import MockClock

T = TypeVar("T")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class _End(Protocol):
    def unwrap(self) -> object: ...


@attrs.define(eq=False)
class _Call(Generic[R]):
    run: Callable[[], Awaitable[R]]
    results: list[R] = attrs.field(init=False)
    error: Exception | None = None
    done: bool = False

    def __attrs_post_init__(self) -> None:
        self.results = []

    async def perform(self) -> None:  # noqa: ASYNC910 - as much a checkpoint as what it runs
        try:
            self.results.append(await self.run())
        except Exception as error:  # noqa: BLE001 - raised again in the caller of GuestRun.call
            self.error = error
        self.done = True

    def result(self) -> R:
        if self.error is not None:
            raise self.error
        return self.results[0]


class GuestRun(Generic[T]):
    """Something open in a Trio run that goes on between synchronous calls, in virtual time.

    ::

        with GuestRun(open_device) as run:          # open_device() returns an async context manager
            run.call(run.value.connect, "host")     # returns when that has returned; raises what it raises

    For whoever decides step by step outside of Trio what to do next: the rules of a Hypothesis state
    machine, a debugger's prompt. Made on Trio's guest mode: Trio runs, and its clock moves, only inside the
    constructor, ``call`` and ``close``. The clock jumps when all tasks wait, so nothing in the run may wait
    for a socket, thread or process. ``patience``: seconds of virtual time that opening, or closing, may
    take.

    What is open may fail in a task of its own: the next ``call`` or ``close`` then raises its error.

    :raises trio.TooSlowError: it did not open (or, from ``close``, close) within ``patience``
    """

    value: T
    """What the context manager gave."""

    def __init__(
        self, open_value: Callable[[], AbstractAsyncContextManager[T]], *, patience: float = 60.0
    ) -> None:
        self._open_value = open_value
        self._patience = patience
        self._ticks: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._calls, self._pending_calls = trio.open_memory_channel[Callable[[], Awaitable[None]]](1)
        self._clock = MockClock(autojump_threshold=0)
        self._opened = False
        self._end: _End | None = None
        self._over = False
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._ticks.put,
            done_callback=self._on_end,
            clock=self._clock,
        )
        self._pump(lambda: self._opened)

    def call(self, async_fn: Callable[[*Ts], Awaitable[R]], *args: *Ts) -> R:
        """Run an async function in the run, to its end.

        It has no deadline but its own: where it might hang, `trio.fail_after` belongs inside it.

        :raises RuntimeError: the run is over
        """
        call = _Call(partial(async_fn, *args))
        self._submit(partial(self._calls.send_nowait, call.perform))
        self._pump(lambda: call.done)
        return call.result()

    def close(self) -> None:
        """Close what is open, and end the run. Does nothing when it is over already."""
        if not self._over:
            self._submit(self._calls.close)
            self._pump(lambda: self._over)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        with trio.fail_after(self._patience) as scope:
            async with self._open_value() as self.value:
                scope.deadline = math.inf
                self._opened = True
                await self._serve()
                scope.deadline = trio.current_time() + self._patience

    async def _serve(self) -> None:
        # Between two calls all tasks wait, but time must not pass: the clock jumps during calls only.
        self._clock.autojump_threshold = math.inf
        async for perform in self._pending_calls:
            self._clock.autojump_threshold = 0
            await perform()
            self._clock.autojump_threshold = math.inf
        self._clock.autojump_threshold = 0

    def _submit(self, action: Callable[[], object]) -> None:
        if self._over:
            raise RuntimeError("the GuestRun is over: open a new one")
        if self._end is None:
            self._token.run_sync_soon(action)

    def _pump(self, done: Callable[[], bool]) -> None:
        """Let Trio run until done; an end of the run that nobody asked for is raised, once."""
        while not done():
            if self._end is not None:
                self._over = True
                self._end.unwrap()
            else:
                self._ticks.get()()

    def _on_end(self, end: _End) -> None:
        self._end = end
