"""Which message answers which: for those who want to know how long that took."""

from __future__ import annotations

from collections.abc import Mapping

from aip_trio.messages import ClientMessage, ClientMessageType, ServerMessage, ServerMessageType, WireModel

__all__ = ["Exchanges"]

#: What asks, and the fields by which the answer may name it.
_CLIENT_ASKS: Mapping[ClientMessageType, tuple[str, ...]] = {
    ClientMessageType.TASK: ("session_id", "request_id"),
    ClientMessageType.DEVICE_INFO_REQUEST: ("request_id",),
}
_SERVER_ASKS: Mapping[ServerMessageType, tuple[str, ...]] = {
    ServerMessageType.COMMAND: ("response_id",),
    ServerMessageType.DEVICE_INFO_REQUEST: ("response_id",),
}
#: What answers: what it answers, and the fields in which it may name it.
_CLIENT_ANSWERS: Mapping[ClientMessageType, tuple[str, tuple[str, ...]]] = {
    ClientMessageType.COMMAND_RESULTS: ("command", ("prev_response_id",)),
    ClientMessageType.DEVICE_INFO_RESPONSE: ("device_info_request", ("request_id",)),
}
_SERVER_ANSWERS: Mapping[ServerMessageType, tuple[str, tuple[str, ...]]] = {
    ServerMessageType.TASK_END: ("task", ("session_id", "response_id")),
    ServerMessageType.DEVICE_INFO_RESPONSE: ("device_info_request", ("response_id",)),
}


class Exchanges:
    """What was asked and not answered yet, by the id that the answer will name.

    Not more than ``limit``: the peer may make up ids, and need not answer. Those asked first are forgotten.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._asked: dict[tuple[str, str], float] = {}
        #: how many were forgotten unanswered
        self.forgotten = 0

    def __len__(self) -> int:
        """How many are not answered."""
        return len(self._asked)

    def pass_on(self, message: WireModel, now: float) -> tuple[str, float] | None:
        """A message passes, whatever its direction. What it answers, by type, and after how many seconds."""
        if isinstance(message, ServerMessage):
            asks, answers = _SERVER_ASKS.get(message.type), _SERVER_ANSWERS.get(message.type)
        elif isinstance(message, ClientMessage):
            asks, answers = _CLIENT_ASKS.get(message.type), _CLIENT_ANSWERS.get(message.type)
        else:
            return None
        if asks is not None:
            self._ask(message, asks, now)
        if answers is not None:
            return self._answer(message, *answers, now)
        return None

    def _ask(self, message: ClientMessage | ServerMessage, fields: tuple[str, ...], now: float) -> None:
        name = _first(message, fields)
        if name is None:
            return
        key = message.type.value, name
        self.forgotten += self._asked.pop(key, None) is not None
        self._asked[key] = now
        if len(self._asked) > self._limit:
            del self._asked[next(iter(self._asked))]
            self.forgotten += 1

    def _answer(
        self, message: ClientMessage | ServerMessage, what: str, fields: tuple[str, ...], now: float
    ) -> tuple[str, float] | None:
        for field in fields:
            asked = self._asked.pop((what, getattr(message, field) or ""), None)
            if asked is not None:
                return what, now - asked
        return None


def _first(message: ClientMessage | ServerMessage, fields: tuple[str, ...]) -> str | None:
    for field in fields:
        name: str | None = getattr(message, field)
        if name:
            return name
    return None
