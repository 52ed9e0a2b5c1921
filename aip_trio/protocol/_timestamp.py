"""The time as AIP writes it."""

from datetime import UTC

from aip_trio.actors import current_environment

__all__ = ["timestamp"]


def timestamp() -> str:
    """Now, by the environment's clock: ISO 8601 in UTC, as ``2024-11-04T10:30:00.125Z``."""
    now = current_environment().now()
    if now.tzinfo is not UTC:
        now = now.astimezone(UTC)
    return now.isoformat("T", "milliseconds")[: -len("+00:00")] + "Z"  # a keyword would double its time
