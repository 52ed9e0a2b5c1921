"""Where one transport stands, and why its last connection ended."""

import attrs

from aip_trio.errors import TransportClosed, TransportError
from aip_trio.transport._state import TRANSPORT_MACHINE, TransportEvent, TransportState

__all__ = ["Life"]


class Life:
    """A walk through `TRANSPORT_MACHINE`, with the reason of the last connection's end.

    Shared by a transport and the connection that it has: whoever learns of an event first fires it.
    """

    __slots__ = ("_loss", "_tracker")

    def __init__(self) -> None:
        self._tracker = TRANSPORT_MACHINE.start()
        self._loss: TransportError | None = None

    @property
    def state(self) -> TransportState:
        """The state that it is in."""
        return self._tracker.state

    @property
    def connected(self) -> bool:
        """Whether messages can be sent."""
        return self._tracker.state is TransportState.CONNECTED

    @property
    def parting(self) -> bool:
        """Whether the peer is closing the connection, and that is not done yet."""
        return self._tracker.state is TransportState.DISCONNECTING and self._loss is not None

    def begin(self) -> None:
        """CONNECT: the last connection is forgotten. Raises IllegalTransition."""
        self._tracker.fire(TransportEvent.CONNECT)
        self._loss = None

    def fire(self, event: TransportEvent) -> None:
        """An event without a reason. Raises IllegalTransition."""
        self._tracker.fire(event)

    def closing(self, loss: TransportError | None = None) -> None:
        """CLOSE, where there is something to close; a ``loss`` where the peer does it."""
        if self.connected:
            self._tracker.fire(TransportEvent.CLOSE)
            self._loss = loss

    def fail(self, loss: TransportError) -> None:
        """FAIL, and why."""
        self._tracker.fire(TransportEvent.FAIL)
        self._loss = loss

    def end(self, loss: TransportError | None) -> None:
        """The connection is over, after a CLOSE that was fired or not; None: closed by this side."""
        self.closing()
        self._tracker.fire(TransportEvent.COMPLETE)
        self._loss = loss

    def refusal(self, call: str) -> TransportError:
        """What a call that needs a connection raises now: an exception of its own for each."""
        if self._loss is None:
            return TransportClosed(call, self.state.value)
        return _copy(self._loss)


def _copy(error: TransportError) -> TransportError:
    """An exception is raised once: with each raising its traceback and context grow."""
    cls: type = type(error)
    if not attrs.has(cls):
        return error
    copy = cls(*(getattr(error, field.name) for field in attrs.fields(cls)))
    assert isinstance(copy, TransportError)
    copy.__cause__ = error.__cause__
    return copy
