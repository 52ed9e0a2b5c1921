"""What looks at every message on its way out and in."""

from abc import ABC, abstractmethod

from aip_trio.messages import WireModel

__all__ = ["ProtocolMiddleware"]


class ProtocolMiddleware(ABC):
    """Sees each message of a protocol, and may put another one of the same class in its place.

    Those added first are the nearest to the program: first on the way out, last on the way in.

    An exception is the failure of that send or receive. Where a link actor sends and receives (in the
    endpoints) it costs that message alone: the log says once which middleware fails, the peer gets an
    `error`, and the connection goes on. Cancelled on the way in, a message is not lost: the next receive
    takes it through all of them again.

    The three plain methods are called only where a class has its own: what they must not do is wait, and
    what they raise is logged.
    """

    @abstractmethod
    async def process_outgoing(self, msg: WireModel) -> WireModel:
        """The message to send for this one."""

    @abstractmethod
    async def process_incoming(self, msg: WireModel) -> WireModel:
        """The message to hand on for this one."""

    def on_encoded(self, msg: WireModel, size: int) -> None:  # noqa: B027 - need not be overridden
        """A message goes out, as so many bytes; after all middleware. (Its sending may yet fail.)"""

    def on_decoded(self, msg: WireModel, size: int) -> None:  # noqa: B027 - nor this
        """A message has come, in so many bytes; before all middleware."""

    def on_failure(self, error: Exception) -> None:  # noqa: B027 - nor this
        """Something could not be read, middleware failed on a message, or the connection broke."""
