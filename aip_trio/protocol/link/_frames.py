"""The frames of a link (`aip.v2`): what each says."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from aip_trio.protocol.link._replay import BATCH_MESSAGES

__all__ = ["Ack", "BatchFrame", "Bye", "Frame", "Gone", "Hello", "Welcome"]

_Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Seq: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
_Word: TypeAlias = Annotated[str, msgspec.Meta(max_length=128)]
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=1000)]


class _Frame(msgspec.Struct, tag_field="t", omit_defaults=True, gc=False):
    """Unknown members are ignored, in every frame."""


class Hello(_Frame, tag="hello"):
    """A client's first frame: a new session; or, where it names one, to resume that."""

    session: _Word = ""
    secret: _Word = ""
    seen: _Number = 0

    def __repr__(self) -> str:
        return f"Hello(session={self.session!r}, seen={self.seen})"


class Welcome(_Frame, tag="welcome"):
    """The server's answer: the session, its secret, its window in seconds, and what the server has seen."""

    session: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    secret: _Word
    window: Annotated[float, msgspec.Meta(ge=0)]
    seen: _Number = 0

    def __repr__(self) -> str:
        return f"Welcome(session={self.session!r}, window={self.window}, seen={self.seen})"


class Gone(_Frame, tag="gone"):
    """The server's other answer: that session is not here, or not yours."""

    reason: _Text = ""


class BatchFrame(_Frame, tag="b", rename={"seq": "s", "ack": "a", "messages": "m"}):
    """Messages, the number of the first, and the last number that the sender has seen."""

    seq: _Seq
    ack: _Number = 0
    messages: Annotated[list[bytes], msgspec.Meta(max_length=BATCH_MESSAGES)] = []


class Ack(_Frame, tag="a", rename={"ack": "a"}):
    """The last number that the sender has seen."""

    ack: _Number


class Bye(_Frame, tag="bye"):
    """The session is over, in order: ``code`` and ``reason`` as of a WebSocket's close frame."""

    code: Annotated[int, msgspec.Meta(ge=1000, le=4999)] = 1000
    reason: _Text = ""


Frame: TypeAlias = Hello | Welcome | Gone | BatchFrame | Ack | Bye
