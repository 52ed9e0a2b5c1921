"""Keeps a session's answers to its questions."""

from __future__ import annotations

from contextlib import suppress

from aip_trio.errors import ResultsMismatch
from aip_trio.messages import WireModel
from aip_trio.protocol._chain import Chain
from aip_trio.protocol._chain_tracker import ChainTracker
from aip_trio.protocol.middleware._base import ProtocolMiddleware

__all__ = ["ChainMiddleware"]


class ChainMiddleware(ProtocolMiddleware):
    """Follows the turns of each session; results that come and do not name its commands are refused.

    For programs that speak over an `AIPProtocol` by themselves; the endpoints have it built in
    (``session.turns`` of a task function).
    """

    def __init__(self, tracker: ChainTracker | None = None) -> None:
        self.tracker = ChainTracker() if tracker is None else tracker
        self._size = 0

    def chain(self, session_id: str) -> Chain | None:
        """A session's turns so far; None where none has passed, or it has ended."""
        return self.tracker.chain(session_id)

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        """Nothing; no checkpoint."""
        return msg  # noqa: ASYNC910 - said above

    def on_encoded(self, msg: WireModel, size: int) -> None:
        """Follow it. Whether results of this side are right is the peer's to judge."""
        with suppress(ResultsMismatch):
            self.tracker.pass_on(msg, size)

    def on_decoded(self, msg: WireModel, size: int) -> None:
        """Its size, for what follows."""
        self._size = size

    async def process_incoming(self, msg: WireModel) -> WireModel:
        """Follow it. No checkpoint. Raises ResultsMismatch."""
        self.tracker.pass_on(msg, self._size)
        return msg  # noqa: ASYNC910 - said above
