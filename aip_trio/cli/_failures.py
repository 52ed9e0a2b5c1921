"""How a failure ends the program: a line on stderr and an exit status."""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from typing import TextIO, cast

from aip_trio.cli._errors import CannotBegin, Interrupted, OutcomeUnknown, OutputClosed
from aip_trio.cli._text import printable
from aip_trio.errors import AipError, StartFailed, UsageError

__all__ = ["describe", "leaves", "reasons", "report_failure", "say", "status_of"]

#: What `head` leaves a program that goes on writing; the number is the same wherever the signal exists.
_SIGPIPE = 13


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors of a group, however deep; an error that is no group is its own leaf.

    An actor that could not be started says why: that is what counts.
    """
    if isinstance(error, BaseExceptionGroup):
        for member in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from leaves(member)
    elif isinstance(error, StartFailed):
        yield from leaves(error.cause)
    else:
        yield error


def status_of(error: BaseException) -> int:
    """The exit status: 128 plus a signal's number, 2 for what the caller has to change or start, else 1.

    Where nobody reads the output any more, the signal is SIGPIPE. 3 where nobody knows whether it was done.
    """
    found = list(leaves(error))
    for leaf in found:
        if isinstance(leaf, Interrupted):
            return 128 + leaf.signal
        if isinstance(leaf, OutputClosed):
            return 128 + _SIGPIPE
    if any(isinstance(leaf, OutcomeUnknown) for leaf in found):
        return 3
    return 2 if found and all(isinstance(leaf, (UsageError, CannotBegin)) for leaf in found) else 1


def describe(error: BaseException) -> str:
    """One line that says what happened, and what to do."""
    if isinstance(error, OSError) and error.strerror is not None:
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)!r}: "
        return printable(f"{where}{error.strerror}")
    text = str(error)
    if isinstance(error, (AipError, OSError)):
        return printable(text or type(error).__qualname__)
    told = f"{type(error).__qualname__}: {text}" if text else type(error).__qualname__
    return printable(f"unexpected {told}; run it again with --debug to see where, and report it")


def reasons(error: BaseException) -> list[str]:
    """A line for each error that is to be told: not for a signal, or an output that its reader has closed."""
    told = [leaf for leaf in leaves(error) if not isinstance(leaf, (Interrupted, OutputClosed))]
    return list(dict.fromkeys(map(describe, told)))


def report_failure(error: BaseException, *, debug: bool) -> int:
    """Tell it on stderr, one line for each error, and return the exit status.

    Nothing is said of a signal, or of an output that its reader has closed. ``debug``: the traceback too.
    """
    lines = reasons(error)
    text = "".join(traceback.format_exception(error)) if debug and lines else ""
    text += "".join(f"aip-trio: error: {line}\n" for line in lines)
    say(text)
    return status_of(error)


def say(text: str) -> None:
    """Write it to stderr, if there is one and somebody reads it."""
    stream = cast("TextIO | None", sys.stderr)
    if stream is not None and text:
        with contextlib.suppress(OSError):
            stream.write(text)
            stream.flush()
