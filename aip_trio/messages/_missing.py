"""What a wide message lacks for its meaning."""

from aip_trio.errors import DecodeError
from aip_trio.messages._wide import ClientMessage, ServerMessage

__all__ = ["NO_REASON", "missing"]

#: The text of an error that came without one.
NO_REASON = "no reason given"


def missing(wide: ClientMessage | ServerMessage, *names: str) -> DecodeError:
    """The error that says which of these fields, all needed by a message of this type, are unset."""
    unset = [name for name in names if getattr(wide, name) in (None, "")]
    return DecodeError(f"{wide.type} message", tuple(f"is required @ $.{name}" for name in unset))
