"""Every fault of a value that msgspec, which stops at the first one, has refused."""

from collections.abc import Callable
from enum import Enum, EnumType
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin

import attrs
import msgspec
from cattrs import (
    BaseValidationError,
    Converter,
    IterableValidationError,
    IterableValidationNote,
    transform_error,
)
from cattrs.gen import make_dict_structure_fn

from aip_trio.errors._base import show
from aip_trio.messages._plain import is_array, is_object

__all__ = ["fault", "faults", "structured"]

T = TypeVar("T")

#: More are not looked for: what a peer does wrong a million times is wrong once.
_MOST = 20
_LONGEST = 300

_NAMES: dict[object, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    list: "an array",
    tuple: "an array",
    dict: "an object",
    NoneType: "null",
}

#: A hook of cattrs: makes the first argument, a plain value, an instance of the second, a type.
_Hook: TypeAlias = Callable[[Any, Any], Any]


class _Fault(ValueError):
    """What is wrong with the value at one place."""


def faults(value: object, cls: type) -> tuple[str, ...]:
    """All that keeps a plain value from being a ``cls``, each as "what @ path"; the first ones of very many.

    None found is no proof that it is one: the verdict is msgspec's.
    """
    try:
        structured(value, cls)
    except (BaseValidationError, _Fault) as error:
        found = transform_error(error, format_exception=_what)
        more = [f"more than {_MOST} faults @ $"] if len(found) > _MOST else []
        return tuple(_cut(text) for text in [*found[:_MOST], *more])
    return ()


def structured(value: object, cls: type[T]) -> T:
    """The same value as cattrs makes a ``cls`` of it, where nothing keeps it from being one."""
    return _converter().structure(value, cls)


def fault(error: msgspec.ValidationError) -> str:
    """The one fault that msgspec names, in the same form."""
    what, _, path = str(error).partition(" - at ")
    return _cut(f"{what} @ {path.replace('`', '') or '$'}")


def _cut(text: str) -> str:
    text = " ".join(text.splitlines())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _what(error: BaseException, _: object) -> str:
    return "is required" if isinstance(error, KeyError) else str(error)


@cache
def _converter() -> Converter:
    """cattrs, with hooks of ours for all that a class may be made of."""
    converter = Converter(detailed_validation=True)
    # A primitive's hook serves its subclasses, too; other types are asked by the predicates, last one first.
    for primitive in (str, int, float, bool, bytes, Enum):
        converter.register_structure_hook(primitive, _leaf)
    converter.register_structure_hook_func(_is_anything, _leaf)
    converter.register_structure_hook(Any, _as_it_is)
    converter.register_structure_hook_factory(_is_optional, _optional)
    converter.register_structure_hook_factory(_is_list, _array)
    converter.register_structure_hook_factory(_is_dict, _object)
    converter.register_structure_hook_factory(attrs.has, _class)
    return converter


def _is_anything(_: Any) -> bool:
    return True


def _is_optional(cls: Any) -> bool:
    return get_origin(cls) in (Union, UnionType) and NoneType in get_args(cls)


def _takes_null(cls: Any) -> bool:
    return cls is Any or cls is NoneType or _is_optional(cls)


def _is_list(cls: Any) -> bool:
    origin: object = get_origin(cls)
    return origin is list


def _is_dict(cls: Any) -> bool:
    origin: object = get_origin(cls)
    return origin is dict


def _leaf(value: Any, cls: Any) -> Any:
    """Whatever has no parts that matter here: msgspec, which is strict, decides."""
    try:
        return msgspec.convert(value, cls)
    except msgspec.ValidationError as error:
        wanted = _wanted(cls)
        raise _Fault(f"expected {wanted}, got {_got(value)}" if wanted else str(error)) from error


def _as_it_is(value: Any, _: Any) -> Any:
    return value


def _optional(cls: Any, converter: Converter) -> _Hook:
    rest: Any = Union[tuple(one for one in get_args(cls) if one is not NoneType)]  # noqa: UP007
    inner = converter.get_structure_hook(rest)

    def hook(value: Any, _: Any) -> Any:
        return None if value is None else inner(value, rest)

    return hook


def _array(cls: Any, converter: Converter) -> _Hook:
    (item,) = get_args(cls)
    inner = converter.get_structure_hook(item)

    def hook(value: Any, _: Any) -> Any:
        if not is_array(value):
            raise _Fault(f"expected an array, got {_got(value)}")
        parts = _Parts(cls)
        array = [parts.take(index, part, item, inner) for index, part in enumerate(value)]
        parts.check()
        return array

    return hook


def _object(cls: Any, converter: Converter) -> _Hook:
    key, item = get_args(cls)
    of_key, of_item = _leaf if key is str else _as_it_is, converter.get_structure_hook(item)

    def hook(value: Any, _: Any) -> Any:
        if not is_object(value):
            raise _Fault(f"expected an object, got {_got(value)}")
        parts = _Parts(cls)
        made = {
            parts.take(name, name, key, of_key): parts.take(name, part, item, of_item)
            for name, part in value.items()
        }
        parts.check()
        return made

    return hook


def _class(cls: Any, converter: Converter) -> _Hook:
    inner = make_dict_structure_fn(cls, converter)
    never_null = {field.name for field in attrs.fields(cls) if not _takes_null(field.type)}

    def hook(value: Any, _: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not is_object(value):
            raise _Fault(f"expected an object, got {_got(value)}")
        for name in value:
            if not isinstance(name, str):
                raise _Fault(f"expected strings for names, got {_got(name)}")
        return inner({k: v for k, v in value.items() if v is not None or k not in never_null}, cls)

    return hook


class _Parts:
    """The faults of an array's or an object's parts, noted as cattrs notes them."""

    def __init__(self, cls: Any) -> None:
        self._cls = cls
        self._errors: list[Exception] = []

    def take(self, index: Any, value: Any, cls: Any, hook: _Hook) -> Any:
        """What the hook makes of one part; None where it is faulty, or where that no longer matters."""
        try:
            return hook(value, cls) if len(self._errors) <= _MOST else None
        except (BaseValidationError, _Fault) as error:
            error.add_note(IterableValidationNote("", index, cls))
            self._errors.append(error)
            return None

    def check(self) -> None:
        """Raise the faults, if there are any."""
        if self._errors:
            # pyright sees the two arguments of an exception group, not the third, which is cattrs'
            raise IterableValidationError("parts", self._errors, self._cls)  # pyright: ignore[reportCallIssue]


def _wanted(cls: Any) -> str | None:
    if isinstance(cls, EnumType):
        members: list[Any] = list(cls)
        return f"one of {', '.join(str(member.value) for member in members)}"
    return _NAMES.get(cls)


def _got(value: object) -> str:
    """A value of the peer's in few words, and cheaply, as it may be very long."""
    if is_array(value) or is_object(value):
        return _NAMES[list if is_array(value) else dict]
    if value is None:
        return "null"
    if isinstance(value, msgspec.msgpack.Ext):  # its repr is an address
        return f"an extension of type {value.code}"
    return show(value[:_LONGEST] if isinstance(value, (str, bytes)) else value)
