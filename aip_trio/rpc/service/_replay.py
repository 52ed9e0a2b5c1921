"""The service's own command: events that a subscriber has missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from aip_trio.rpc._command import ApiCommandRequest, ApiCommandRequestResult
from aip_trio.rpc._wire import Reply, encode_reply
from aip_trio.rpc.service._history import History
from aip_trio.rpc.service._verdict import failed, unavailable

__all__ = ["replayed"]

#: Where the data go into a reply that has none.
_NO_DATA = b'"data":null'


def replayed(history: History, request: ApiCommandRequest) -> tuple[Reply, bytes, int]:
    """The reply to a REPLAY command, in its bytes, and how many events it brings."""
    if not history:
        return _said(unavailable(request, "this service keeps no events: start it with replay=1000"))
    asked = request.data
    if not isinstance(asked, Mapping):
        return _said(failed(request, "say in data which events: stream, topic, first, last"))
    fields = cast("Mapping[object, object]", asked)
    if fields.get("stream") != history.stream:
        return _said(failed(request, f"this is stream {history.stream}: the one asked for is over"))
    numbers = [fields.get(name) for name in ("topic", "first", "last")]
    if not all(type(number) is int for number in numbers):
        return _said(failed(request, "topic, first and last have to be integers"))
    topic, first, last = cast("list[int]", numbers)
    found = history.replay(topic, first, last)
    reply = Reply(request.nonce, request.command, ApiCommandRequestResult.SUCCESS)
    # The events are JSON already, and go in as they are.
    data = b'"data":{"stream":"%b","topic":%d,"first":%d,"events":[%b]}' % (
        history.stream.encode(),
        topic,
        found.first,
        b",".join(found.events),
    )
    return reply, encode_reply(reply).replace(_NO_DATA, data, 1), len(found.events)


def _said(reply: Reply) -> tuple[Reply, bytes, int]:
    return reply, encode_reply(reply), 0
