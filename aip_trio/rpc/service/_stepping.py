"""Running a coroutine up to where it first waits, and from there on."""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from typing import TypeVar

__all__ = ["rest_of"]

T = TypeVar("T")
V = TypeVar("V")


@types.coroutine
def rest_of(coroutine: Coroutine[object, object, T], trap: object) -> Generator[object, object, T]:
    """Await the rest of a coroutine whose first ``send(None)``, in this task, has returned ``trap``.

    Most delegates never wait; a command of theirs then costs no task, no scope and no turn of the scheduler.
    The first step tells, and this is the rest: what ``await`` would have done.

    A GeneratorExit that the coroutine raises is a RuntimeError, as a StopIteration is: what passes through
    here as a GeneratorExit is the end of the task.
    """
    try:
        while True:
            try:
                sent = yield trap
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001, ASYNC103 - the coroutine's to handle
                trap = _step(coroutine.throw, error)
            else:
                trap = _step(coroutine.send, sent)
    except StopIteration as returned:
        value: T = returned.value
        return value
    finally:
        coroutine.close()


def _step(step: Callable[[V], object], value: V) -> object:
    try:
        return step(value)
    except GeneratorExit as error:
        raise RuntimeError("the delegate raised GeneratorExit") from error
