"""What a server has against a client, and how that slows the client down."""

from __future__ import annotations

import logging

import attrs

from aip_trio.errors import HandshakeRefused, RegistrationRefused
from aip_trio.resilience import Backoff

__all__ = ["Refusals", "Wary"]

logger = logging.getLogger("aip_trio.endpoints")

#: Seconds after the second refusal in a row, doubled with each after it; and the longest wait. The first may
#: be of the moment: a namesake that is just leaving.
_SECOND, _LONGEST = 5.0, 60.0

#: What helps against an HTTP status.
_ADVICE = {
    401: "give it the server's token",
    403: "look who may connect there, and under which name of the server",
    404: "look at the path in the URL",
}


@attrs.define
class Refusals:
    """A server that answers no is not asked again as soon as one that does not answer.

    It may change its mind (a new token, a namesake that leaves), so it is asked again all the same; the log
    has a warning of each reason once.
    """

    _count: int = attrs.field(default=0, init=False)
    _told: str = attrs.field(default="", init=False)

    def refused(self, who: str, error: HandshakeRefused | RegistrationRefused) -> None:
        """It said no, and will be asked again."""
        self._count += 1
        if str(error) != self._told:
            self._told = str(error)
            advice = "see whether another client has this name"
            if isinstance(error, HandshakeRefused):
                advice = _ADVICE.get(error.status, "ask those who run the server")
            logger.warning("%s: %s: %s; it is asked again, less and less often", who, self._told, advice)

    def welcomed(self) -> None:
        """It said yes."""
        self._count = 0
        self._told = ""

    @property
    def wait(self) -> float:
        """Seconds to wait at least, before a random part is taken off."""
        return min(_LONGEST, _SECOND * 2.0 ** min(self._count - 2, 10)) if self._count > 1 else 0.0


@attrs.frozen(kw_only=True)
class Wary(Backoff):
    """A backoff that waits longer where the server has refused: up to 60 s, half of it by chance."""

    usual: Backoff
    refusals: Refusals

    @classmethod
    def of(cls, usual: Backoff, refusals: Refusals) -> Wary:
        """The ``usual`` one where there is no refusal; its limits always."""
        return cls(
            initial=usual.initial,
            multiplier=usual.multiplier,
            maximum=usual.maximum,
            jitter=usual.jitter,
            reset_after=usual.reset_after,
            max_retries=usual.max_retries,
            usual=usual,
            refusals=refusals,
        )

    def ceiling(self, failures: int) -> float:
        """The longest wait, in seconds, after so many failures in a row (1 or more)."""
        return max(self.usual.ceiling(failures), self.refusals.wait)

    def delay(self, failures: int, draw: float) -> float:
        """Seconds to wait after so many failures in a row; ``draw`` is a random number in [0, 1)."""
        return max(self.usual.delay(failures, draw), self.refusals.wait * (1 + draw) / 2)
