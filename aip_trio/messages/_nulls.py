"""A null on the wire is the same as nothing at all."""

from typing import Any

from msgspec import inspect

from aip_trio.messages._fitness import within
from aip_trio.messages._plain import is_array, is_object

__all__ = ["Nulls"]


class Nulls:
    """Where in a class a null stands for a field's default.

    That is where the field has a default and its type knows no null: msgspec would refuse the null.
    """

    def __init__(self, known: inspect.DataclassType) -> None:
        self._known = known
        self._concerned = {id(one) for one in within(known) if any(map(_replaceable, within(one)))}

    def without(self, value: object) -> object:
        """The same plain value, without these nulls."""
        return self._without(value, self._known)

    def _without(self, value: Any, known: inspect.Type) -> Any:
        if id(known) not in self._concerned:
            return value
        match known:
            case inspect.DataclassType(fields=fields) if is_object(value):
                types = {field.encode_name: field.type for field in fields}
                replaceable = _replaceable(known)
                return {
                    name: self._without(part, types[name]) if name in types else part
                    for name, part in value.items()
                    if part is not None or name not in replaceable
                }
            case inspect.CollectionType(item_type=item) if is_array(value):
                return [self._without(part, item) for part in value]
            case inspect.DictType(value_type=item) if is_object(value):
                return {key: self._without(part, item) for key, part in value.items()}
            case inspect.UnionType(types=types):
                for one in types:
                    value = self._without(value, one)
                return value
            case _:
                return value


def _replaceable(known: inspect.Type) -> set[str]:
    """The fields of a class that have a default and take no null."""
    if not isinstance(known, inspect.DataclassType):
        return set()
    return {field.encode_name for field in known.fields if not field.required and not _takes_null(field.type)}


def _takes_null(known: inspect.Type) -> bool:
    match known:
        case inspect.AnyType() | inspect.NoneType():
            return True
        case inspect.UnionType(types=types):
            return any(map(_takes_null, types))
        case _:
            return False
