"""What a program looks at messages with, before they are acted on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol, TypeAlias

from aip_trio.messages import ServerMessage

__all__ = ["MessageProcessor", "Processors", "processed_by", "processors_of"]

logger = logging.getLogger("aip_trio.endpoints")


class MessageProcessor(Protocol):
    """Sees every message that an orchestrator gets, before it is acted on."""

    async def process_message(self, msg: ServerMessage, /) -> object:
        """What it raises is logged."""
        ...


#: One, several, or none.
Processors: TypeAlias = MessageProcessor | Sequence[MessageProcessor] | None


def processors_of(given: Processors) -> tuple[MessageProcessor, ...]:
    """Those that were given, in their order."""
    if given is None:
        return ()
    return tuple(given) if isinstance(given, Sequence) else (given,)


async def processed_by(  # noqa: ASYNC910 - internal
    processors: Sequence[MessageProcessor], message: ServerMessage, owner: str
) -> None:
    """Show each of them a message, one after another; what one raises does not concern the next."""
    for processor in processors:
        try:
            await processor.process_message(message)
        except Exception:
            logger.exception("%s: message processor %s failed", owner, type(processor).__name__)
