"""Values of JSON, for people."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import cast

from aip_trio.cli._text import printable

__all__ = ["cut", "outline"]


def outline(value: object) -> Iterator[str]:
    """A value in lines that any terminal shows: a name before each, what is in it further to the right."""
    if _is_object(value):
        for name, inner in _items(value):
            first, *rest = outline(inner)
            if rest or _is_object(inner) or _is_list(inner):
                yield f"{name}:"
                yield from (f"  {line}" for line in (first, *rest))
            else:
                yield f"{name}: {first}".rstrip()
    elif _is_list(value):
        for inner in cast("list[object]", value):
            first, *rest = [_in_one_line(inner)] if _is_flat(inner) else outline(inner)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield from map(printable, _scalar(value).splitlines() or [""])


def cut(lines: Iterator[str], most: int) -> Iterator[str]:
    """The first of them, and how many more there are."""
    yield from islice(lines, most)
    more = sum(1 for _ in lines)
    if more:
        yield f"… and {more:,} more lines: --json has all"


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping) and value != {}


def _is_list(value: object) -> bool:
    return isinstance(value, list) and value != []


def _is_flat(value: object) -> bool:
    """Whether it is an object without another object, list or text of several lines in it."""
    return _is_object(value) and not any(
        _is_object(inner) or _is_list(inner) or "\n" in _scalar(inner) for _, inner in _items(value)
    )


def _items(value: object) -> Iterator[tuple[str, object]]:
    for name, inner in cast("Mapping[str, object]", value).items():
        yield printable(name), inner


def _in_one_line(value: object) -> str:
    parts = (f"{name}: {printable(_scalar(inner))}" for name, inner in _items(value) if inner is not None)
    return "  ".join(parts)


def _scalar(value: object) -> str:
    match value:
        case None | [] | {}:
            return "-"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
