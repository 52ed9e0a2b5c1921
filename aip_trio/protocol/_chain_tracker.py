"""The chains of the sessions that pass through one protocol object."""

from __future__ import annotations

from aip_trio.messages import ClientMessage, ClientMessageType, ServerMessage, ServerMessageType, WireModel
from aip_trio.protocol._chain import Chain

__all__ = ["ChainTracker"]


class ChainTracker:
    """Follows the turns of sessions from their messages, whichever way these go. Without I/O.

    A session's chain begins with its first message, and ends with the session (`task_end`). No more than
    ``limit`` are followed, those that moved last: the peer makes up the ids.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._chains: dict[str, Chain] = {}

    def __len__(self) -> int:
        """How many sessions are followed."""
        return len(self._chains)

    def chain(self, session_id: str) -> Chain | None:
        """A session's turns; None where none has passed, it has ended, or it is forgotten."""
        return self._chains.get(session_id)

    def pass_on(self, message: WireModel, size: int = 0) -> None:
        """A message, in ``size`` bytes, passes.

        Results of a session whose commands did not pass here are not judged.

        :raises ResultsMismatch: results that do not name the commands that they should; nothing has changed
        """
        if isinstance(message, ServerMessage):
            self._server(message)
        elif isinstance(message, ClientMessage):
            self._client(message, size)

    def _server(self, message: ServerMessage) -> None:
        if message.session_id is None:
            return
        if message.type is ServerMessageType.COMMAND:
            if message.response_id is None:  # no answer can name it
                self._chains.pop(message.session_id, None)
            else:
                self._followed(message.session_id).command(message.response_id, message.actions or ())
        elif message.type is ServerMessageType.TASK_END:
            self._chains.pop(message.session_id, None)

    def _client(self, message: ClientMessage, size: int) -> None:
        if message.session_id is None:
            return
        if message.type is ClientMessageType.COMMAND_RESULTS:
            chain = self._chains.get(message.session_id)
            if chain is not None:
                chain.results(message.prev_response_id, message.action_results, size)
        elif message.type is ClientMessageType.TASK:  # asked for again, it begins anew
            self._chains.pop(message.session_id, None)

    def _followed(self, session_id: str) -> Chain:
        chain = self._chains.pop(session_id, None)
        self._chains[session_id] = chain = Chain(session_id) if chain is None else chain
        if len(self._chains) > self._limit:
            del self._chains[next(iter(self._chains))]
        return chain
