"""The time as AIP writes it."""

from datetime import UTC

import msgspec

from aip_trio.actors import current_environment

__all__ = ["timestamp"]

_encode = msgspec.json.Encoder().encode


def timestamp() -> str:
    """Now, by the environment's clock: ISO 8601 in UTC, as ``2024-11-04T10:30:00.125Z``."""
    now = current_environment().now()
    if now.tzinfo is not UTC:
        now = now.astimezone(UTC)
    written = _encode(now)  # in quotes, with microseconds if there are any; isoformat() takes five times that
    return f"{(written[1:24] if now.microsecond else written[1:20] + b'.000').decode()}Z"
