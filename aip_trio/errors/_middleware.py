"""What middleware may do to a message: fail on it, or find that there are too many."""

import attrs

from aip_trio.errors._base import told
from aip_trio.errors._peer import PeerError
from aip_trio.errors._usage import UsageError

__all__ = ["MiddlewareFailed", "RateLimited", "SendingTooFast"]


@attrs.define(slots=False)
class MiddlewareFailed(UsageError, RuntimeError):
    """Middleware of the program raised, or gave back what is no message, where a link was at work.

    The connection goes on. The ``cause`` is what it raised.
    """

    middleware: str
    message_type: str
    cause: BaseException

    def __str__(self) -> str:
        return (
            f"middleware {self.middleware} failed on a message of type {self.message_type!r}:"
            f" {told(self.cause)}; mend it: no message that it fails on goes further"
        )


@attrs.define(slots=False)
class RateLimited(PeerError):
    """The peer sends faster than it may. ``rate`` is in messages per second, ``retry_after`` in seconds."""

    rate: float
    burst: int
    retry_after: float

    def __str__(self) -> str:
        return (
            f"the limit of {self.rate} messages/s ({self.burst} at once) is reached:"
            f" the message goes no further; send it again in {self.retry_after} s"
        )


@attrs.define(slots=False)
class SendingTooFast(UsageError, RuntimeError):
    """This side sends faster than its own limit allows; nothing was sent.

    ``rate`` is in messages per second, ``retry_after`` in seconds.
    """

    rate: float
    burst: int
    retry_after: float

    def __str__(self) -> str:
        return (
            f"rate={self.rate} messages/s with burst={self.burst} is reached:"
            f" send again in {self.retry_after} s, or have RateLimitMiddleware wait"
        )
