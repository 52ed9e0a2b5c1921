"""A request's way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Envelope", "opened"]

#: The frames that go before an answer: who asked, and the empty frame that REQ sockets and proxies put there.
Envelope: TypeAlias = tuple[bytes, ...]


def opened(frames: Sequence[bytes]) -> tuple[Envelope, bytes | None]:
    """The envelope of what a ROUTER has received, and the request; None where that is not exactly one frame.

    The envelope ends with the first empty frame. A DEALER need not send one: then all frames but the last are
    the envelope, and its answer has no empty frame either.
    """
    if len(frames) == 3 and not frames[1]:  # of nearly every client
        return (frames[0], b""), frames[2]
    for index in range(1, len(frames)):
        if not frames[index]:
            body = frames[index + 1 :]
            return tuple(frames[: index + 1]), body[0] if len(body) == 1 else None
    if len(frames) == 1:
        return tuple(frames), None
    return tuple(frames[:-1]), frames[-1]
