"""What a service has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import attrs

__all__ = ["RpcStatistics", "Tally"]


@attrs.frozen(kw_only=True)
class RpcStatistics:
    """Counters of an `RpcService` since it was made; see its `statistics`."""

    #: messages, by their topic
    published: Mapping[int, int]
    #: messages that wait to be published now, and those that found no room
    queued: int
    dropped: int
    #: delegates that run now, and of their commands those that were answered as pending
    running: int
    pending: int
    #: replies, by their result: those to malformed requests are UNRECOGNIZED
    replies: Mapping[str, int]
    #: ends of pending commands that were published
    results: int
    #: requests that were none
    malformed: int
    #: replies whose client had gone, and those that it had no room for
    gone: int
    unsent: int
    #: delegates that were given up, because they did not return in time
    given_up: int
    #: events that were sent again to subscribers that asked for them
    replayed: int


@attrs.define(eq=False)
class Tally:
    """What the parts of a service count; it outlives them."""

    published: Counter[int] = attrs.field(factory=Counter[int])
    #: by the integers of their results, whose names take longer to look up than all else about counting
    replies: Counter[int] = attrs.field(factory=Counter[int])
    results: int = 0
    malformed: int = 0
    gone: int = 0
    unsent: int = 0
    given_up: int = 0
    replayed: int = 0
