"""How much a link holds, and how long it waits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from aip_trio.errors import InvalidSpec

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["LinkLimits"]


def _count(_: object, attribute: Attribute[int], value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidSpec(f"LinkLimits.{attribute.name}", value, "give a number, 1 or more")


def _seconds(_: object, attribute: Attribute[float], value: float) -> None:
    if not 0 <= value < math.inf:
        raise InvalidSpec(f"LinkLimits.{attribute.name}", value, "give seconds, 0 or more")


@attrs.frozen(kw_only=True)
class LinkLimits:
    """Bounds of one end of a link. A single message beyond a bound is taken where nothing else is held."""

    #: messages that the peer has not acknowledged; beyond either bound `send` waits
    kept_messages: int = attrs.field(default=4096, validator=_count)
    #: their bytes
    kept_bytes: int = attrs.field(default=4 * 1024 * 1024, validator=_count)
    #: messages that nobody has received; beyond either bound nothing more is read from the peer
    unread_messages: int = attrs.field(default=1024, validator=_count)
    #: their bytes
    unread_bytes: int = attrs.field(default=1024 * 1024, validator=_count)
    #: seconds that `close` may take
    close_timeout: float = attrs.field(default=10.0, validator=_seconds)
    #: seconds for a new connection and its hello, where a client resumes
    resume_timeout: float = attrs.field(default=10.0, validator=_seconds)
