"""Running a coroutine up to where it first waits, and from there on."""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from typing import TypeVar

__all__ = ["rest_of"]

T = TypeVar("T")


@types.coroutine
def rest_of(coroutine: Coroutine[object, object, T], trap: object) -> Generator[object, object, T]:
    """Await the rest of a coroutine whose first ``send(None)``, in this task, has returned ``trap``.

    Most delegates never wait; a command of theirs then costs no task, no scope and no turn of the scheduler.
    The first step tells, and this is the rest: what ``await`` would have done.
    """
    try:
        while True:
            try:
                sent = yield trap
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001, ASYNC103 - the coroutine's to handle
                trap = coroutine.throw(error)
            else:
                trap = coroutine.send(sent)
    except StopIteration as returned:
        value: T = returned.value
        return value
    finally:
        coroutine.close()
