"""What the parts of a service share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import attrs
import msgspec
import trio

from aip_trio.errors import EncodeError
from aip_trio.errors._base import told
from aip_trio.rpc._command import ApiCommandRequestResponse
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc._wire import encode_message, encode_topic
from aip_trio.rpc.service._history import RESERVED, History
from aip_trio.rpc.service._outgoing import Message, Outgoing
from aip_trio.rpc.service._statistics import Tally

if TYPE_CHECKING:
    from aip_trio.rpc._options import RpcOptions
    from aip_trio.rpc.service._clerk import Clerk
    from aip_trio.rpc.service._delegate import Delegate

__all__ = ["Desk"]

_RESULT = int(ApiTopic.COMMAND_RESULT)


@attrs.define(eq=False)
class Desk:
    """It outlives them: a part that is started again finds what waited for it, and its old port."""

    options: RpcOptions
    outgoing: Outgoing
    #: the service's own from its start on
    history: History = attrs.field(factory=lambda: History("", 0))
    delegate: Delegate | None = None
    tally: Tally = attrs.field(factory=Tally)
    #: for delegates that are plain functions; `max_commands` bounds them
    threads: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(float("inf")))
    #: of the commands; each incarnation of their actor brings its own
    clerk: Clerk | None = None
    #: where the two sockets listen, once they have
    events_url: str | None = None
    commands_url: str | None = None

    def written(self, topic: int, content: object) -> Message:
        """A message made of a mapping, or of an attrs or dataclass instance. Raises EncodeError."""
        payload = encode_message(content)
        numbered = bool(self.history)
        if numbered and isinstance(content, Mapping):
            _check_reserved(cast("Mapping[object, object]", content))
        return Message(topic, encode_topic(topic), payload, numbered, self.options.dialect == "0.9")

    def raw(self, topic: int, payload: bytes) -> Message:
        """A message whose bytes somebody else has written; numbered if they are a JSON object."""
        numbered = False
        if self.history:
            content = _object(payload)
            if content is not None:
                _check_reserved(content)
                numbered, payload = True, payload.strip()
        return Message(topic, encode_topic(topic), payload, numbered, False)

    def publish_result(self, response: ApiCommandRequestResponse) -> None:
        """Publish how a pending command has ended; whatever its data are, its client is told."""
        try:
            message = self.written(_RESULT, response)
        except Exception as error:  # noqa: BLE001 - the data are the delegate's, and may raise anything
            bare = attrs.evolve(response, data=None, error_message=told(error))
            message = self.written(_RESULT, bare)
        self.outgoing.put(message, past_limit=True)  # bounded by the commands that run
        self.tally.results += 1


def _object(payload: bytes) -> Mapping[object, object] | None:
    try:
        value: object = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return cast("Mapping[object, object]", value) if isinstance(value, dict) else None


def _check_reserved(content: Mapping[object, object]) -> None:
    for key in RESERVED:
        if key in content:
            raise EncodeError(
                "message", f"its key {key!r} is the replay's own; name it otherwise, or set replay=0"
            )
