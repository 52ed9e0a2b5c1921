"""What a supervisor decides is to be done."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

import attrs

from aip_trio.actors._child import Child

__all__ = ["Action", "Answered", "Came", "Delay", "Ended", "Forget", "Rest", "Start", "Stop"]

C = TypeVar("C", bound=Child)


@attrs.frozen
class Start(Generic[C]):
    """Start an incarnation; report `up` or `down`."""

    child: C


@attrs.frozen
class Stop(Generic[C]):
    """Tell it to stop, within its shutdown time; report `down`."""

    child: C


@attrs.frozen
class Delay(Generic[C]):
    """Report `due` after so many seconds, with this turn."""

    child: C
    seconds: float
    turn: int


@attrs.frozen
class Rest(Generic[C]):
    """It does not run, and nothing will restart it by itself; its spec stays."""

    child: C


@attrs.frozen
class Forget(Generic[C]):
    """It has ended for good."""

    child: C


@attrs.frozen
class Answered(Generic[C]):
    """A call has its result: an error, or the child that it has started, or None, which is ok."""

    call: Hashable
    error: BaseException | None = None
    child: C | None = None


@attrs.frozen
class Came:
    """The supervisor is up: all its children are."""


@attrs.frozen
class Ended:
    """All children have ended: in order, or because it gave up or could not start."""

    error: BaseException | None = None


Action = Start[C] | Stop[C] | Delay[C] | Rest[C] | Forget[C] | Answered[C] | Came | Ended
