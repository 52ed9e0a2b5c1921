"""A line in the log for each message."""

import logging

from aip_trio.errors._base import show
from aip_trio.messages import WireModel
from aip_trio.protocol._kind import kind_of
from aip_trio.protocol.middleware._base import ProtocolMiddleware

__all__ = ["LoggingMiddleware"]

logger = logging.getLogger("aip_trio.protocol")

#: Of a message's fields, those that say which message it is; the rest is payload, and may be secret.
_TOLD = ("status", "client_id", "target_id", "session_id", "request_id", "response_id", "prev_response_id")


class LoggingMiddleware(ProtocolMiddleware):
    """Logs which messages pass, to the logger ``aip_trio.protocol``; never what is in them."""

    def __init__(self, log_level: int = logging.DEBUG) -> None:
        self.log_level = log_level

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        """Log it as sent. No checkpoint: there is nothing to wait for."""
        self._log("out", msg)
        return msg  # noqa: ASYNC910 - said above

    async def process_incoming(self, msg: WireModel) -> WireModel:
        """Log it as received. No checkpoint: there is nothing to wait for."""
        self._log("in", msg)
        return msg  # noqa: ASYNC910 - said above

    def _log(self, direction: str, msg: WireModel) -> None:
        if logger.isEnabledFor(self.log_level):
            kind = kind_of(msg)
            told = {
                name: show(str(value)) for name in _TOLD if (value := getattr(msg, name, None)) is not None
            }
            text = " ".join(f"{name}={value}" for name, value in told.items())
            extra = {"direction": direction, "message_type": kind, **told}
            logger.log(self.log_level, "%s %s %s", direction, kind, text, extra=extra)
