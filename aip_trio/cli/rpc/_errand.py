"""A command to send."""

import attrs

__all__ = ["Errand"]


@attrs.frozen
class Errand:
    """What is sent. ``custom``: -1 where none was given, as on the wire."""

    command: int
    custom: int
    data: object
