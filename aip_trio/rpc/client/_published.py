"""What a service publishes, as typed events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import attrs
import msgspec

from aip_trio.errors import DecodeError
from aip_trio.errors._base import show
from aip_trio.rpc._casing import snake_keys
from aip_trio.rpc._event import ApiEventKind
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc._wire import Reply, decode_payload, reply_of

__all__ = [
    "CommandResult",
    "Dropped",
    "Event",
    "Gap",
    "Heartbeat",
    "PropertyChange",
    "Published",
    "Restarted",
    "published",
    "published_data",
]


def _said(data: object) -> object:
    """What a message says. It is in a tuple where it is not decoded yet."""
    if type(data) is not tuple:
        return data
    [payload] = cast("tuple[bytes]", data)
    fields = cast("dict[str, object]", decode_payload(payload))  # it was found to be an object
    _stamp(fields)
    return fields


@attrs.frozen
class Published:
    """A message that a service has published."""

    topic: ApiTopic
    _data: object = attrs.field(eq=_said, repr=lambda data: repr(_said(data)))
    #: of a service that replays: which incarnation of it, and the message's number within its topic
    stream: str | None
    sequence: int | None

    @property
    def data(self) -> object:
        """What it says, its keys in snake_case; the bytes as they came where they are no JSON."""
        return _said(self._data)


@attrs.frozen
class Heartbeat(Published):
    """The service is there."""

    identifier: str
    version: str
    #: Unix seconds, by the service's clock
    timestamp: float
    #: of a service that replays: the last number of each topic
    sequences: Mapping[int, int] | None


@attrs.frozen
class Event(Published):
    """Something happened on the device; on EVENT, or on EMERGENCY before that."""

    kind: ApiEventKind
    #: Unix seconds
    when: float
    #: nanoseconds of the device's monotonic clock
    index: int
    context: Mapping[str, object] | None


@attrs.frozen
class PropertyChange(Published):
    """A property of an object on the device has another value; see ``data``."""


@attrs.frozen
class CommandResult(Published):
    """How a command ended that was answered with PENDING_WITH_NOTIFICATION."""

    reply: Reply


@attrs.frozen
class Gap:
    """Messages of a topic that are lost for good, from number ``first`` to ``last``."""

    topic: ApiTopic
    first: int
    last: int
    #: of the same hole, messages that the service still had; they are delivered as if nothing had happened
    recovered: int = 0

    @property
    def lost(self) -> int:
        """How many."""
        return self.last - self.first + 1


@attrs.frozen
class Dropped:
    """So many messages came, and had to make room for later ones: this subscription was read too slowly."""

    messages: int


@attrs.frozen
class Restarted:
    """Another incarnation of the service publishes; what the one before published last may be lost."""

    stream: str


#: Kinds of events that are remembered.
_MOST_KINDS = 1024


def published(topic: ApiTopic, payload: bytes) -> Published:
    """The message of a topic. Raises `DecodeError` where it is none that belongs on its topic."""
    make = _MAKERS.get(topic)
    if make is _event and (event := _quickly(topic, payload)) is not None:
        return event
    try:
        data = decode_payload(payload)
    except DecodeError:
        if make is not None:
            raise
        return Published(topic, payload, None, None)
    return published_data(topic, data)


def published_data(topic: ApiTopic, data: object) -> Published:
    """The same of a message that is decoded. Raises `DecodeError`."""
    if type(data) is not dict:
        if topic in _MAKERS:
            raise DecodeError(topic.name, ("is no JSON object @ $",))
        return Published(topic, data, None, None)
    fields = cast("dict[str, object]", data)
    stream, sequence = _stamp(fields)
    make = _MAKERS.get(topic)
    if make is None:
        return Published(topic, fields, stream, sequence)
    return make(topic, fields, stream, sequence)


def _stamp(fields: dict[str, object]) -> tuple[str, int] | tuple[None, None]:
    """Take out the number that a service gave the message, if that is what it is."""
    stream, sequence = fields.get("stream"), fields.get("sequence")
    if type(stream) is str and type(sequence) is int and sequence > 0:
        del fields["stream"], fields["sequence"]
        return stream, sequence
    return None, None


_Maker = Callable[[ApiTopic, "dict[str, object]", "str | None", "int | None"], Published]


def _heartbeat(
    topic: ApiTopic, fields: dict[str, object], stream: str | None, sequence: int | None
) -> Heartbeat:
    identifier, version, timestamp = fields.get("identifier"), fields.get("version"), fields.get("timestamp")
    if type(identifier) is not str or type(version) is not str or not _is_number(timestamp):
        raise DecodeError("HEARTBEAT", (f"{show(fields)} has no identifier, version and timestamp @ $",))
    return Heartbeat(
        topic,
        fields,
        stream,
        sequence,
        identifier,
        version,
        cast("float", timestamp),
        _sequences(fields.get("sequences")),
    )


def _sequences(value: object) -> Mapping[int, int] | None:
    if type(value) is not dict:
        return None
    numbers = cast("dict[str, object]", value)
    return {
        int(topic): last
        for topic, last in numbers.items()
        if topic.isascii() and topic.isdecimal() and len(topic) <= 10 and type(last) is int and last > 0
    }


def _event(topic: ApiTopic, fields: dict[str, object], stream: str | None, sequence: int | None) -> Event:
    get = fields.get
    kind, when, index, context = get("kind"), get("when"), get("index"), get("context")
    if type(kind) is not int or kind.bit_length() > _MOST_BITS:
        raise DecodeError(topic.name, (f"{show(kind)} is no kind of event @ $.kind",))
    if not _is_number(when):
        raise DecodeError(topic.name, (f"{show(when)} is no time @ $.when",))
    if type(index) is not int:
        raise DecodeError(topic.name, (f"{show(index)} is no integer @ $.index",))
    if context is not None and type(context) is not dict:
        raise DecodeError(topic.name, (f"{show(context)} is no JSON object @ $.context",))
    return Event(
        topic,
        fields,
        stream,
        sequence,
        _KINDS[kind],
        cast("float", when),
        index,
        cast("Mapping[str, object] | None", context),
    )


class _WireEvent(msgspec.Struct):
    """An event as most are."""

    kind: int
    when: float
    index: int
    context: dict[str, object] | None = None
    stream: str | None = None
    sequence: int | None = None


_read_event = msgspec.json.Decoder(_WireEvent).decode


def _quickly(topic: ApiTopic, payload: bytes) -> Event | None:
    """The event, in half the time that the long way takes; None: that is the way to go.

    There are many events, and few readers of ``data``: those decode it once more.
    """
    if payload[:1] != b"{":
        return None
    try:
        event = _read_event(payload)
        context = snake_keys(event.context) if event.context else event.context
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    numbered = event.sequence is not None and event.sequence > 0
    if numbered != (event.stream is not None) or event.kind.bit_length() > _MOST_BITS:
        return None
    return Event(
        topic,
        (payload,),
        event.stream,
        event.sequence,
        _KINDS[event.kind],
        event.when,
        event.index,
        cast("Mapping[str, object] | None", context),
    )


#: What has more bits is no number of a kind, and no time.
_MOST_BITS = 64


class _Kinds(dict[int, ApiEventKind]):
    """The kinds that have come of late; making one takes longer than all else about an event."""

    def __missing__(self, number: int) -> ApiEventKind:
        kind = ApiEventKind(number)
        if len(self) >= _MOST_KINDS:  # a peer makes numbers up
            self.clear()
        self[number] = kind
        return kind


_KINDS = _Kinds()


def _property_change(
    topic: ApiTopic, fields: dict[str, object], stream: str | None, sequence: int | None
) -> PropertyChange:
    return PropertyChange(topic, fields, stream, sequence)


def _command_result(
    topic: ApiTopic, fields: dict[str, object], stream: str | None, sequence: int | None
) -> CommandResult:
    return CommandResult(topic, fields, stream, sequence, reply_of(fields))


_MAKERS: Mapping[int, _Maker] = {
    int(ApiTopic.HEARTBEAT): _heartbeat,
    int(ApiTopic.EMERGENCY): _event,
    int(ApiTopic.EVENT): _event,
    int(ApiTopic.PROPERTY_CHANGE): _property_change,
    int(ApiTopic.COMMAND_RESULT): _command_result,
}


def _is_number(value: object) -> bool:
    return type(value) is float or (type(value) is int and value.bit_length() <= _MOST_BITS)
