"""What a message is, in one word."""

from enum import Enum

__all__ = ["kind_of"]


def kind_of(message: object) -> str:
    """A message's type in the wire's word; of a class without one, its name. Few words, whoever sends."""
    kind = getattr(message, "type", None)
    return str(kind.value) if isinstance(kind, Enum) else type(message).__name__
