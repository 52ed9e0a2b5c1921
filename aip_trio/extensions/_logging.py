"""An extension that logs."""

from __future__ import annotations

import logging

from aip_trio.errors._base import show, told
from aip_trio.extensions._base import AIPExtension
from aip_trio.messages import WireModel

__all__ = ["LoggingExtension"]

logger = logging.getLogger("aip_trio.extensions")


class LoggingExtension(AIPExtension):
    """Logs what passes, to the logger ``aip_trio.extensions``; of messages their type, never what is in them.

    Errors are warnings, whatever the ``log_level`` of the rest.
    """

    def __init__(self, log_level: int = logging.INFO) -> None:
        self.log_level = log_level

    async def on_message_sent(self, msg: WireModel) -> None:  # noqa: ASYNC910 - nothing to wait for
        """One line."""
        self._log("sent", _kind(msg))

    async def on_message_received(self, msg: WireModel) -> None:  # noqa: ASYNC910 - nothing to wait for
        """One line."""
        self._log("received", _kind(msg))

    async def on_connection_established(self, endpoint_id: str) -> None:  # noqa: ASYNC910 - nothing to wait for
        """One line."""
        self._log("connected", endpoint_id)

    async def on_connection_closed(self, endpoint_id: str) -> None:  # noqa: ASYNC910 - nothing to wait for
        """One line."""
        self._log("disconnected", endpoint_id)

    async def on_error(self, error: Exception, context: str) -> None:  # noqa: ASYNC910 - nothing to wait for
        """One warning."""
        logger.warning("%s: %s", context, told(error), extra={"event": "error", "context": context})

    def _log(self, event: str, what: str) -> None:
        logger.log(self.log_level, "%s: %s", event, show(what), extra={"event": event, "what": what})


def _kind(msg: WireModel) -> str:
    return str(getattr(msg, "type", type(msg).__name__))
