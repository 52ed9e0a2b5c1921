"""Drawing a machine as a Mermaid state diagram."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import TypeVar

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Mermaid reads these as its own words, whatever their case, or makes such ids itself.
_RESERVED = frozenset({
    "accdescr", "acctitle", "as", "choice", "class", "classdef", "click", "default", "direction", "end",
    "fork", "hide", "href", "join", "note", "root", "root_end", "root_start", "scale", "state",
    "statediagram", "style",
})  # fmt: skip


def draw(initial: S, table: Mapping[S, Mapping[E, S]]) -> str:
    """The text of a stateDiagram-v2 of a table that has a row for every state; ends without a newline."""
    ids = _ids(table)
    return "\n    ".join(["stateDiagram-v2", *_aliases(ids), *_arrows(ids, initial, table)])


def _ids(states: Iterable[S]) -> dict[S, str]:
    names = {state: state.name for state in states}
    taken = set(names.values())
    for number, (state, name) in enumerate(names.items()):
        if not _PLAIN.fullmatch(name) or name.lower() in _RESERVED:
            names[state] = _free(f"state_{number}", taken)
    return names


def _free(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "_"
    return wanted


def _aliases(ids: Mapping[S, str]) -> Iterator[str]:
    for state, identifier in ids.items():
        if identifier != state.name:
            yield f'state "{_text(state.name)}" as {identifier}'


def _arrows(ids: Mapping[S, str], initial: S, table: Mapping[S, Mapping[E, S]]) -> Iterator[str]:
    yield f"[*] --> {ids[initial]}"
    for state, row in table.items():
        for target, events in _by_target(row).items():
            yield f"{ids[state]} --> {ids[target]} : {' / '.join(_text(event.name) for event in events)}"
        if not row:
            yield f"{ids[state]} --> [*]"


def _by_target(row: Mapping[E, S]) -> dict[S, list[E]]:
    arrows: dict[S, list[E]] = {}
    for event, target in row.items():
        arrows.setdefault(target, []).append(event)
    return arrows


def _text(name: str) -> str:
    """A label: all but letters, digits, spaces and underscores as Mermaid's numeric entities."""
    return "".join(c if c.isalnum() or c in "_ " else f"#{ord(c)};" for c in name)
