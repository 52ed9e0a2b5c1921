"""What actors send each other."""

from typing import Generic, TypeVar

import attrs

from aip_trio.errors import InvalidMessage

__all__ = ["Request", "check_message", "is_message_class", "wire_name"]

R_co = TypeVar("R_co", covariant=True)


class Request(Generic[R_co]):
    """Base class of the messages that are answered with an ``R``.

    The answer's type travels with the message: ``await ref.ask(Balance())`` is an ``int`` where
    ``class Balance(Request[int])``.
    """

    __slots__ = ()


def is_message_class(cls: object) -> bool:
    """Whether the instances of this class can be sent: a frozen attrs class."""
    return isinstance(cls, type) and attrs.has(cls) and attrs.inspect(cls).is_frozen


def check_message(message: object) -> None:
    """Refuse what is no instance of a frozen attrs class: `InvalidMessage`, a TypeError."""
    if is_message_class(type(message)):
        return
    if is_message_class(message):
        reason = "is a class: send an instance of it"
    elif attrs.has(type(message)):
        reason = f"can change on its way: declare {type(message).__qualname__} with @attrs.frozen"
    else:
        reason = (
            f"is a {type(message).__qualname__}, no message:"
            " messages are instances of classes declared with @attrs.frozen"
        )
    raise InvalidMessage(message, reason)


def wire_name(cls: type) -> str:
    """The stable name of a message class: its own ``__wire_name__``, else ``module:qualname``."""
    given = cls.__dict__.get("__wire_name__")
    return given if isinstance(given, str) else f"{cls.__module__}:{cls.__qualname__}"
