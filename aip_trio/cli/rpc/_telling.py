"""What a service has published, for people and for programs."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from aip_trio.cli._text import printable
from aip_trio.cli.rpc._answer import reply_head
from aip_trio.cli.rpc._names import label
from aip_trio.rpc import (
    CommandResult,
    Dropped,
    Event,
    Gap,
    Heartbeat,
    Presence,
    PresenceState,
    PropertyChange,
    Published,
    Restarted,
)

__all__ = ["Told", "presence_data", "presence_line", "told_data", "told_line"]

#: What a subscription gives.
Told = Published | Gap | Dropped | Restarted


def told_data(told: Told) -> dict[str, object]:
    """For ``--json``: its type, its topic, and what it says."""
    match told:
        case Gap():
            found: dict[str, object] = {"type": "gap", "topic": label(told.topic), "first": told.first}
            return {**found, "last": told.last, "lost": told.lost, "recovered": told.recovered}
        case Dropped():
            return {"type": "dropped", "messages": told.messages}
        case Restarted():
            return {"type": "restarted", "stream": told.stream}
        case _:
            found = {"type": _TYPES[type(told)], "topic": label(told.topic)}
            if isinstance(told, Event):
                found["kind"] = label(told.kind)
            if told.sequence is not None:
                found["sequence"] = told.sequence
            return {**found, "data": _plain(told.data)}


_TYPES: Mapping[type[Published], str] = {
    Published: "published",
    Heartbeat: "heartbeat",
    Event: "event",
    PropertyChange: "property_change",
    CommandResult: "command_result",
}


def told_line(told: Told, when: datetime) -> str:
    """A line for people; ``when`` it came, in the zone that they shall read."""
    return printable(f"{when:%H:%M:%S}  {_text(told)}")


def presence_data(presence: Presence) -> dict[str, object]:
    """The same of whether the service is there; ``data`` is its last heartbeat."""
    heartbeat = None if presence.heartbeat is None else presence.heartbeat.data
    return {"type": "presence", "state": presence.state.value, "data": heartbeat}


def presence_line(presence: Presence, when: datetime) -> str:
    """The same, for people."""
    name = "the service" if presence.heartbeat is None else presence.heartbeat.identifier
    return printable(f"{when:%H:%M:%S}  presence  {name} {_STATES[presence.state]}")


_STATES: Mapping[PresenceState, str] = {
    PresenceState.UNKNOWN: "has not been heard yet",
    PresenceState.PRESENT: "is there",
    PresenceState.MISSING: "is missing",
    PresenceState.GONE: "has gone",
}


def _text(told: Told) -> str:
    match told:
        case Gap():
            missed = f"{told.lost} lost, numbers {told.first} to {told.last}"
            kept = f"; {told.recovered} near them were recovered" if told.recovered else ""
            return f"gap  {label(told.topic)}  {missed}{kept}"
        case Dropped():
            return f"gap  {told.messages} dropped here, where they came faster than they were shown"
        case Restarted():
            return "gap  the service has restarted: what it published last may be lost"
        case Heartbeat():
            return f"{label(told.topic)}  {told.identifier}, version {told.version}"
        case Event():
            return f"{label(told.topic)}  {label(told.kind)}{_spaced(told.context)}"
        case CommandResult():
            reply = told.reply
            return f"{label(told.topic)}  {reply_head(reply)}  nonce {reply.nonce}{_spaced(reply.data)}"
        case PropertyChange():
            return f"{label(told.topic)}  {_change(told.data)}"
        case _:
            return f"{label(told.topic)}{_spaced(_plain(told.data))}"


def _change(data: object) -> str:
    """In short, where it has the fields that auto-trainer-api has for it, and nothing else."""
    fields = _fields(data)
    if fields.keys() == {"target", "name", "new_value", "old_value"}:
        old, new = _compact(fields["old_value"]), _compact(fields["new_value"])
        return f"{fields['target']}.{fields['name']}: {old} -> {new}"
    return _compact(data)


def _fields(data: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", data) if isinstance(data, Mapping) else {}


def _spaced(data: object) -> str:
    return "" if data is None else f"  {_compact(data)}"


def _compact(data: object) -> str:
    return json.dumps(data, ensure_ascii=False)


def _plain(data: object) -> object:
    """Bytes that are no JSON, as text."""
    return data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
