"""Where extensions hear of a connection's messages."""

from __future__ import annotations

from aip_trio.extensions._calls import ExtensionCalls
from aip_trio.messages import ClientMessage, ClientMessageType, WireModel
from aip_trio.protocol import ProtocolMiddleware

__all__ = ["ExtensionTap"]


class ExtensionTap(ProtocolMiddleware):
    """Middleware of one connection that tells extensions what passes, and lets it pass.

    ``endpoint_id``: whose connection it is; without one, of whoever registers on it.
    """

    def __init__(self, calls: ExtensionCalls, endpoint_id: str = "") -> None:
        self._calls = calls
        self._endpoint_id = endpoint_id

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        """Nothing; no checkpoint."""
        return msg  # noqa: ASYNC910 - said above

    async def process_incoming(self, msg: WireModel) -> WireModel:
        """Nothing; no checkpoint."""
        return msg  # noqa: ASYNC910 - said above

    def on_encoded(self, msg: WireModel, size: int) -> None:
        """It is sent."""
        self._calls.sent(self._endpoint_id, msg, size)

    def on_decoded(self, msg: WireModel, size: int) -> None:
        """It was received."""
        if not self._endpoint_id:
            self._endpoint_id = _registered(msg)
        self._calls.received(self._endpoint_id, msg, size)

    def on_failure(self, error: Exception) -> None:
        """It went wrong."""
        self._calls.failed(self._endpoint_id, error)


def _registered(msg: WireModel) -> str:
    if isinstance(msg, ClientMessage) and msg.type is ClientMessageType.REGISTER:
        return msg.client_id or ""
    return ""
