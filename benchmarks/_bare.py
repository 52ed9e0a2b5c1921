"""The limits: the same work by Trio alone, a task with a channel and a cancel scope for each actor."""

from __future__ import annotations

import attrs
import trio

from benchmarks._counter import Tick

__all__ = ["Bare", "counter", "ponger"]


@attrs.frozen
class Bare:
    """Such a task, from outside."""

    send: trio.MemorySendChannel[object]
    scope: trio.CancelScope


async def counter(
    answers: trio.MemorySendChannel[int], task_status: trio.TaskStatus[Bare] = trio.TASK_STATUS_IGNORED
) -> None:
    """Count the ticks that it is sent, and answer whatever else, until cancelled."""
    with trio.CancelScope() as scope:
        send, receive = trio.open_memory_channel[object](256)
        task_status.started(Bare(send, scope))
        ticks = 0
        while True:
            message = await receive.receive()
            if isinstance(message, Tick):
                ticks += 1
            else:
                await answers.send(ticks)


async def ponger(
    back: trio.MemorySendChannel[object], task_status: trio.TaskStatus[Bare] = trio.TASK_STATUS_IGNORED
) -> None:
    """Send back what it is sent, until cancelled. (With `async for` it would be slower.)"""
    with trio.CancelScope() as scope:
        send, receive = trio.open_memory_channel[object](1)
        task_status.started(Bare(send, scope))
        while True:
            await back.send(await receive.receive())
