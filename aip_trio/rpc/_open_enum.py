"""Integers with names, of which the peer may know more than we do."""

from __future__ import annotations

from enum import IntEnum
from typing import Generic, Self, TypeVar

__all__ = ["Members", "OpenEnum"]

#: What has more bits than this is no number that anybody has given a name.
_MOST_BITS = 64


class OpenEnum(IntEnum):
    """An IntEnum that carries the integers it has no name for.

    ``ApiTopic(7)`` is an ApiTopic, equal to 7, and named ``UNKNOWN_7``. It is made anew each time, because a
    peer that sends ever new numbers must not fill our memory: compare with ``==``, never with ``is``. What is
    no integer, or one of more than 64 bits, is a ValueError.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if type(value) is not int or value.bit_length() > _MOST_BITS:
            return None
        unknown = int.__new__(cls, value)
        unknown._name_ = f"UNKNOWN_{value}".replace("-", "MINUS_")
        unknown._value_ = value
        return unknown

    @property
    def known(self) -> bool:
        """Whether it is one of the named ones."""
        return self._value_ in type(self)._value2member_map_


E = TypeVar("E", bound=OpenEnum)


class Members(dict[int, E], Generic[E]):
    """The members of an open enum by their integers: looked up in a tenth of the time of a call."""

    def __init__(self, cls: type[E]) -> None:
        super().__init__((int(member), member) for member in cls)
        self._cls = cls

    def __missing__(self, value: int) -> E:
        return self._cls(value)
