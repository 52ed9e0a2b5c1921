"""How the program ends early; nobody outside of it sees these."""

import signal

import attrs

from aip_trio.errors import AipError

__all__ = ["Interrupted", "OutputClosed"]


@attrs.define(slots=False)
class Interrupted(AipError):
    """A signal stopped the command; its tree has ended in order. The exit status is 128 plus its number."""

    signal: signal.Signals

    def __str__(self) -> str:
        return f"stopped by {self.signal.name}"


class OutputClosed(AipError):
    """Whoever read the program's output has gone; nothing is left to be said."""

    def __str__(self) -> str:
        return "standard output is closed"
