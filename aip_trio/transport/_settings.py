"""How a WebSocket is kept alive, closed and bounded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from aip_trio.errors import InvalidSpec

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["Settings", "check_seconds"]


def _seconds(_: object, attribute: Attribute[float], value: float) -> None:
    if not value > 0:
        raise InvalidSpec(attribute.name, value, "give seconds, more than 0; None is for ever")


def _not_negative(_: object, attribute: Attribute[float], value: float) -> None:
    check_seconds(attribute.name, value)
    if value == math.inf:
        raise InvalidSpec(attribute.name, value, "nobody waits for ever for a close frame: give seconds")


def _size(_: object, attribute: Attribute[int], value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidSpec(attribute.name, value, "give bytes, 1 or more")


def _for_ever(value: float | None) -> float:
    return math.inf if value is None else value


@attrs.frozen
class Settings:
    """Seconds and bytes; None for ``ping_interval``: no pings, for ``ping_timeout``: silence is no fault."""

    ping_interval: float = attrs.field(default=30.0, converter=_for_ever, validator=_seconds)
    ping_timeout: float = attrs.field(default=180.0, converter=_for_ever, validator=_seconds)
    close_timeout: float = attrs.field(default=10.0, validator=_not_negative)
    max_size: int = attrs.field(default=100 * 1024 * 1024, validator=_size)


def check_seconds(name: str, value: float) -> None:
    """Raises InvalidSpec for what is no time to wait."""
    if not value >= 0:
        raise InvalidSpec(name, value, "give seconds, 0 or more")
