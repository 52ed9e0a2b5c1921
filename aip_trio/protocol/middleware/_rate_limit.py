"""How many messages a second."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import trio

from aip_trio.errors import InvalidSpec, RateLimited, SendingTooFast
from aip_trio.messages import WireModel
from aip_trio.protocol._kind import kind_of
from aip_trio.protocol.middleware._base import ProtocolMiddleware
from aip_trio.protocol.middleware._bucket import TokenBucket

__all__ = ["RateLimitMiddleware"]


class RateLimitMiddleware(ProtocolMiddleware):
    """Lets ``rate`` messages a second pass each way, and ``burst`` of them at once.

    - ``rate``: each way has a bucket of its own; ``burst``: by default, what passes in a second
    - ``outgoing``: beyond it a send waits for its turn (``"wait"``), raises SendingTooFast (``"raise"``), or
      there is no limit (None)
    - ``incoming``: whether what comes is limited. Beyond it: RateLimited, which a server answers with an
      `error` that names the limit; the message goes no further
    - ``exempt``: types that pass at any rate, and are not counted: heartbeats. So are `error` messages on the
      way out, or else their answers would hold up the reading

    One object is one limit. To limit each connection of an endpoint by itself, give the endpoint a function
    that makes one: ``middleware=[lambda: RateLimitMiddleware(50)]``. Raises InvalidSpec.
    """

    def __init__(
        self,
        rate: float,
        burst: int | None = None,
        *,
        outgoing: Literal["wait", "raise"] | None = "wait",
        incoming: bool = True,
        exempt: Iterable[str] = ("heartbeat",),
    ) -> None:
        if outgoing not in ("wait", "raise", None):
            raise InvalidSpec("RateLimitMiddleware.outgoing", outgoing, "give 'wait', 'raise' or None")
        if isinstance(exempt, str):
            raise InvalidSpec("RateLimitMiddleware.exempt", exempt, f"give a collection: ({exempt!r},)")
        self._out, self._in = TokenBucket(rate, burst), TokenBucket(rate, burst)
        self._outgoing = outgoing
        self._incoming = incoming
        self._exempt = frozenset(exempt)
        self._turn = trio.Lock()

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        """A checkpoint where it has to wait; those that wait go in the order of their calls."""
        kind = kind_of(msg)
        if self._outgoing is None or kind in self._exempt or kind == "error":
            return msg  # noqa: ASYNC910 - said above
        if self._outgoing == "raise":
            wait = self._out.take(trio.current_time())
            if wait:
                raise SendingTooFast(self._out.rate, self._out.burst, _told(wait))
        elif self._turn.locked() or self._out.take(trio.current_time()):
            async with self._turn:
                while wait := self._out.take(trio.current_time()):  # noqa: ASYNC110 - it is the time's turn
                    await trio.sleep(wait)
        return msg  # noqa: ASYNC910 - said above

    async def process_incoming(self, msg: WireModel) -> WireModel:
        """No checkpoint. Raises RateLimited."""
        if self._incoming and kind_of(msg) not in self._exempt:
            wait = self._in.take(trio.current_time())
            if wait:
                raise RateLimited(self._in.rate, self._in.burst, _told(wait))
        return msg  # noqa: ASYNC910 - said above


def _told(seconds: float) -> float:
    """What a peer that waits so long does not wait in vain for."""
    return math.ceil(seconds * 1000) / 1000
