"""The same counting actor as a generic server of TriOTP. Imported only where TriOTP is installed.

A generic server is a module of callbacks: this one. So is an application, in which `measure` runs.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

import trio
import trio.testing
from triotp import application, gen_server, node

from benchmarks._counter import Tick
from benchmarks._harness import Load, Measures

__all__ = ["NAME", "measure"]

NAME = "counter"

Body = Callable[[Load], Awaitable[Measures]]


def measure(body: Body, load: Load) -> Measures:
    """Run a measurement in a node of its own, beside one generic server called `NAME`."""
    found: Measures = {}
    app = application.app_spec(sys.modules[__name__], (body, load, found), permanent=False)
    node.run([app])
    return found


async def start(argument: tuple[Body, Load, Measures]) -> None:
    """The application."""
    body, load, found = argument
    async with trio.open_nursery() as nursery:
        nursery.start_soon(gen_server.start, sys.modules[__name__], None, NAME)
        await trio.testing.wait_all_tasks_blocked()
        found.update(await body(load))
        nursery.cancel_scope.cancel()


async def init(_: object) -> int:
    """The state of the generic server: so many ticks."""
    return 0


async def handle_cast(message: object, ticks: int) -> tuple[object, int]:
    """What is told."""
    return gen_server.NoReply(), ticks + isinstance(message, Tick)


async def handle_call(_: object, __: object, ticks: int) -> tuple[object, int]:
    """What is asked."""
    return gen_server.Reply(ticks), ticks
