"""What the server and a device have in common as programs: they run until they are told to stop."""

import logging
import os
from collections.abc import Callable

import trio

from aip_trio.actors import ActorSystem, Event
from aip_trio.cli._errors import GaveUp
from aip_trio.endpoints import AIPEndpoint
from aip_trio.errors import InvalidOption

__all__ = ["serve"]

logger = logging.getLogger("aip_trio.cli")

_STDIN = 0


async def serve(
    system: ActorSystem,
    endpoint: AIPEndpoint,
    *,
    ready: Callable[[], None],
    tell: Callable[[Event], str | None],
    end_with_stdin: bool,
) -> None:
    """Start an endpoint, call ``ready``, and stay until it is cancelled, or standard input is closed.

    ``tell`` puts what happens into words, for the log. Raises GaveUp where the endpoint ends by itself.
    """
    async with trio.open_nursery() as nursery:
        if end_with_stdin:
            nursery.start_soon(_end_with_stdin, nursery.cancel_scope)
        await nursery.start(_narrate, system, tell)
        await endpoint.start()
        ready()
        await endpoint.stopped()
        raise GaveUp(endpoint.ref.name)


async def _narrate(
    system: ActorSystem,
    tell: Callable[[Event], str | None],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with system.events.subscribe() as events:
        task_status.started()
        async for event in events:
            text = tell(event)
            if text is not None:
                logger.info("%s", text)


async def _end_with_stdin(scope: trio.CancelScope) -> None:
    """Cancel when nobody holds the other end any more; what comes from there is read and dropped."""
    try:
        while True:
            await trio.lowlevel.wait_readable(_STDIN)
            if not os.read(_STDIN, 65536):
                break
    except OSError as error:
        raise InvalidOption(
            "end-with-stdin", True, f"needs a pipe or a terminal as standard input ({error.strerror})"
        ) from error
    scope.cancel(reason="standard input was closed")
