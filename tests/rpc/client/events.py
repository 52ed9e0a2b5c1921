"""What the tests of clients publish."""

from __future__ import annotations

__all__ = ["EVENT", "event_payload"]

EVENT = 4001


def event_payload(index: int = 1) -> dict[str, object]:
    """An event, as it goes over the wire."""
    return {"kind": 1101, "when": 1700000000.5, "index": index, "context": None}
