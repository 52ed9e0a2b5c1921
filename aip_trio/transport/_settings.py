"""How a WebSocket is kept alive, closed and bounded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from aip_trio.errors import InvalidSpec

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["COMPRESSION_THRESHOLD", "Compression", "Settings", "check_seconds"]

Compression: TypeAlias = Literal["deflate"] | None

#: Below this, compressing takes longer than what it saves takes on the wire: the whole is a few packets.
COMPRESSION_THRESHOLD = 4096


def _seconds(_: object, attribute: Attribute[float], value: float) -> None:
    if not value > 0:
        raise InvalidSpec(attribute.name, value, "give seconds, more than 0; None is for ever")


def _not_negative(_: object, attribute: Attribute[float], value: float) -> None:
    check_seconds(attribute.name, value)
    if value == math.inf:
        raise InvalidSpec(attribute.name, value, "nobody waits for ever for a close frame: give seconds")


def _size(_: object, attribute: Attribute[int] | Attribute[int | None], value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidSpec(attribute.name, value, "give bytes, 1 or more")


def _size_or_none(instance: object, attribute: Attribute[int | None], value: int | None) -> None:
    if value is not None:
        _size(instance, attribute, value)


def _compression(_: object, attribute: Attribute[Compression], value: Compression) -> None:
    if value not in (None, "deflate"):
        raise InvalidSpec(attribute.name, value, "give 'deflate', or None")


def _for_ever(value: float | None) -> float:
    return math.inf if value is None else value


@attrs.frozen
class Settings:
    """Seconds and bytes; None for ``ping_interval``: no pings, for ``ping_timeout``: silence is no fault.

    ``queued_bytes``: see `serve_websocket`; None: any number may wait. ``compression``: see
    `WebSocketTransport`.
    """

    ping_interval: float = attrs.field(default=30.0, converter=_for_ever, validator=_seconds)
    ping_timeout: float = attrs.field(default=180.0, converter=_for_ever, validator=_seconds)
    close_timeout: float = attrs.field(default=10.0, validator=_not_negative)
    max_size: int = attrs.field(default=100 * 1024 * 1024, validator=_size)
    queued_bytes: int | None = attrs.field(default=None, validator=_size_or_none)
    compression: Compression = attrs.field(default=None, validator=_compression)
    compression_threshold: int = attrs.field(default=COMPRESSION_THRESHOLD, validator=_size)

    @property
    def deflates_from(self) -> int | None:
        """The size from which messages are compressed, where the peer agrees; None: never."""
        return None if self.compression is None else self.compression_threshold


def check_seconds(name: str, value: float) -> None:
    """Raises InvalidSpec for what is no time to wait."""
    if not value >= 0:
        raise InvalidSpec(name, value, "give seconds, 0 or more")
