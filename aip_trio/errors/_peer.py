"""What came over the wire and is not right."""

import attrs

from aip_trio.errors._base import AipError

__all__ = ["DecodeError", "PeerError"]


class PeerError(AipError):
    """What came over the wire is not right: the peer's mistake."""


@attrs.define(slots=False)
class DecodeError(PeerError, ValueError):
    """Bytes, or a message of them, that are not what was wanted.

    ``faults``: each as "what @ path", where the path starts from ``$``, the whole: "is required @ $.status".
    What the peer wrote is cut to a short text in them.
    """

    wanted: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return f"no valid {self.wanted}: {'; '.join(self.faults)}"
