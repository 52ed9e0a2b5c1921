"""Whether a class keeps all it says on its way over the wire."""

from collections.abc import Iterator
from typing import Any

import attrs
from msgspec import inspect

from aip_trio.errors import InvalidWireClass

__all__ = ["fit", "within"]


def fit(cls: type) -> inspect.DataclassType:
    """Look at a class and those within its fields; what msgspec knows of it is the result.

    msgspec reads and writes attrs classes by their attributes, so what attrs does beside those (converters,
    aliases, an ``__init__`` of the class's own) does not happen, and a private field is read and never
    written: `InvalidWireClass`.
    """
    if not (isinstance(cls, type) and attrs.has(cls)):
        raise InvalidWireClass(cls, "is no attrs class; declare it with @attrs.frozen")
    _fit_alone(cls)
    try:
        known = inspect.type_info(cls)
    except (TypeError, NameError, KeyError, NotImplementedError) as error:
        raise InvalidWireClass(cls, f"has a field that cannot be read: {error}") from error
    assert isinstance(known, inspect.DataclassType)
    for found in within(known):
        if isinstance(found, inspect.DataclassType):
            _fit_alone(found.cls)
        elif isinstance(found, inspect.CustomType):
            raise InvalidWireClass(
                cls, f"has a field of {found.cls}, which has no form on the wire: use another"
            )
    return known


def within(known: inspect.Type) -> Iterator[inspect.Type]:
    """A type, and all that it is made of, once each: a class may hold itself."""
    seen: set[int] = set()
    todo = [known]
    while todo:
        one = todo.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            todo.extend(_parts(one))


def _parts(known: inspect.Type) -> Iterator[inspect.Type]:
    match known:
        case inspect.DataclassType(fields=fields):
            yield from (field.type for field in fields)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            yield from types
        case inspect.DictType(key_type=key, value_type=value):
            yield from (key, value)
        case inspect.CollectionType(item_type=item):
            yield item
        case _:
            pass


def _fit_alone(cls: type) -> None:
    if not attrs.has(cls):
        return  # a dataclass within, which has none of these
    if not attrs.inspect(cls).added_init:
        raise InvalidWireClass(cls, "has an __init__ of its own, which is not called; let attrs make it")
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    for field in fields:
        if reason := _unfit(field):
            raise InvalidWireClass(cls, f"field {field.name} {reason}")


def _unfit(field: "attrs.Attribute[Any]") -> str | None:
    if field.name.startswith("_"):
        return "is private, and would not be written; take the underscore away"
    if field.alias != field.name:
        return f"has the alias {field.alias}, which is not looked at; name the field so"
    if field.converter is not None:  # pyright: ignore[reportUnknownMemberType]
        return "has a converter, which is not run; convert before the instance is made"
    if not field.init:
        return "has init=False, and yet would be read; make it a property"
    if field.type is None:
        return "has no annotation, and would not be read; annotate it"
    if getattr(field.default, "takes_self", False):  # of an attrs.Factory
        return "has a default that takes self; take a default that needs no instance"
    return None
