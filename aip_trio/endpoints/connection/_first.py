"""The first connection, which is tried again as later ones are."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from aip_trio.actors import SupervisorRef, current_environment
from aip_trio.endpoints._starting import reason_of
from aip_trio.errors import (
    ActorStopped,
    ChildRestarting,
    ChildRunning,
    NotRunning,
    StartCalledOff,
    StartFailed,
    UsageError,
)
from aip_trio.resilience import Backoff

__all__ = ["REPAIRS", "connect_first", "reconnect", "revive"]

logger = logging.getLogger("aip_trio.endpoints")

R = TypeVar("R")

#: For the parts of a client that are no connection; a fault that stays is not repaired for ever.
REPAIRS = Backoff(initial=0.05, maximum=5.0, max_retries=10)


async def connect_first(start: Callable[[], Awaitable[R]], backoff: Backoff, who: str) -> R:
    """Start a tree whose connection has to come up; where it does not, wait, and try again.

    A supervisor's first start is not tried again by itself, as in OTP. A checkpoint. Raises the last
    ConnectionError when the retries are used up, and at once what no retry can mend: a UsageError bare,
    StartCalledOff where the tree is stopped.
    """
    failures = 0
    while True:
        try:
            return await start()
        except (ActorStopped, NotRunning):
            raise StartCalledOff(who) from None
        except StartFailed as failed:
            cause = reason_of(failed)
            if isinstance(cause, UsageError):
                raise cause from None
            if not isinstance(cause, ConnectionError):
                raise
            failures += 1
            if backoff.exhausted(failures):
                raise cause from None
            delay = backoff.delay(failures, current_environment().random.random())
            logger.warning("%s: %s; try %d follows in %.1f s", who, cause, failures + 1, delay)
            await trio.sleep(delay)


async def reconnect(owner: SupervisorRef) -> None:
    """End the connection among these children, and start it anew. A checkpoint.

    Raises the ConnectionError where that fails; the connection is then down until it is started again.
    """
    try:
        await owner.terminate_child("connection")
    except (ActorStopped, NotRunning):
        raise StartCalledOff(str(owner.path)) from None
    await revive(owner)


async def revive(owner: SupervisorRef) -> None:  # noqa: ASYNC910 - a refused call was one
    """Start the connection among these children, if it was left down. A checkpoint.

    Raises ConnectionError.
    """
    try:
        await owner.restart_child("connection")
    except (ChildRunning, ChildRestarting):
        pass  # it is up, or will be
    except (ActorStopped, NotRunning):
        raise StartCalledOff(str(owner.path)) from None
    except StartFailed as failed:
        cause = reason_of(failed)
        raise (cause if isinstance(cause, ConnectionError) else failed) from None
