"""Plain values: what a decoder makes of bytes when it is told of no class."""

from typing import Any, TypeGuard

__all__ = ["is_array", "is_object"]


def is_array(value: object) -> "TypeGuard[list[Any] | tuple[Any, ...]]":
    """Whether it is an array of JSON or MessagePack (a tuple is taken for one, too)."""
    return isinstance(value, (list, tuple))


def is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    """Whether it is an object of JSON, or a map of MessagePack, whose keys may be anything."""
    return isinstance(value, dict)
