"""How the program ends early; nobody outside of it sees these."""

import signal

import attrs

from aip_trio.errors import AipError

__all__ = ["CannotBegin", "GaveUp", "Interrupted", "OutcomeUnknown", "OutputClosed"]


@attrs.define(slots=False)
class CannotBegin(AipError):
    """What the command needs is not there, such as a server that answers. The exit status is 2."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.define(slots=False)
class GaveUp(AipError):
    """What was to run until it is told to stop has ended by itself."""

    what: str

    def __str__(self) -> str:
        return f"the {self.what} has given up: see the log above for why, and start it again"


@attrs.define(slots=False)
class Interrupted(AipError):
    """A signal stopped the command; its tree has ended in order. The exit status is 128 plus its number."""

    signal: signal.Signals

    def __str__(self) -> str:
        return f"stopped by {self.signal.name}"


@attrs.define(slots=False)
class OutcomeUnknown(AipError):
    """What was asked for may or may not have been done: nobody said. The exit status is 3."""

    reason: str

    def __str__(self) -> str:
        return self.reason


class OutputClosed(AipError):
    """Whoever read the program's output has gone; nothing is left to be said."""

    def __str__(self) -> str:
        return "standard output is closed"
