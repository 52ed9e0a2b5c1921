"""How a link ends, and what its calls raise from then on."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import trio

from aip_trio.errors import ConnectionLost, LinkLost, TransportClosed, TransportError
from aip_trio.protocol.link._flag import Flag
from aip_trio.protocol.link._frames import Bye
from aip_trio.protocol.link._machine import LinkState
from aip_trio.protocol.link._session import LinkSession

__all__ = ["Fate"]

logger = logging.getLogger("aip_trio.protocol")

#: RFC 6455, 7.4.1: done, and going away.
_GOODBYES = (1000, 1001)


class Fate:
    """Ends a session, once: closed by this side, dismissed by the peer, or lost.

    ``concluded`` is called then; its argument says whether what was not received is to be dropped.
    """

    __slots__ = ("_concluded", "_name", "_refusal", "_session", "_window", "over")

    def __init__(
        self, name: str, session: LinkSession, window: float, concluded: Callable[[bool], object]
    ) -> None:
        self._name = name
        self._session = session
        self._window = window
        self._concluded = concluded
        self._refusal: Callable[[str], TransportError] = _closed
        #: set when it has ended
        self.over = Flag()

    def refusal(self, call: str) -> TransportError:
        """What a call raises: an exception of its own for each."""
        return self._refusal(call)

    def close(self) -> None:
        """This side has closed it, unless it is over."""
        if not self._session.over:
            self._session.closed()
            self._conclude(_closed, drop=True)

    def dismiss(self, bye: Bye) -> None:
        """The peer has said goodbye, which may cross our own."""
        if self._session.over:
            return
        if bye.code in _GOODBYES:
            self._session.closed()
            self._conclude(lambda _: ConnectionLost(bye.code, bye.reason))
        else:
            self.lose(f"the peer has ended it, code={bye.code}: {bye.reason or 'it gave no reason'}")

    def look(self) -> None:
        """No task watches the window: whoever asks finds that it is over."""
        session = self._session
        if session.deadline != math.inf:
            begun = session.state is not LinkState.NEW
            if session.expire(trio.current_time()):
                self._tell(f"nobody resumed it within its window={self._window:g} s", None, begun=begun)

    def lose(self, reason: str, cause: Exception | None = None) -> None:
        """It cannot be resumed any more, unless it is over."""
        self.look()
        session = self._session
        if not session.over:
            begun = session.state is not LinkState.NEW
            session.lost()
            self._tell(reason, cause, begun=begun)

    def _tell(self, reason: str, cause: Exception | None, *, begun: bool) -> None:
        """Log it, once: a session that was never carried has lost nothing."""
        session = self._session
        seconds = 0.0
        if session.detached_at != -math.inf:
            seconds = round(trio.current_time() - session.detached_at, 3)
        unacknowledged = session.replay.kept_messages

        def loss(_: str) -> LinkLost:
            error = LinkLost(self._name, unacknowledged, seconds, reason)
            error.__cause__ = cause
            return error

        level = logging.WARNING if begun else logging.INFO
        logger.log(level, "%s", loss(""), extra={"session": self._name})
        self._conclude(loss)

    def _conclude(self, refusal: Callable[[str], TransportError], *, drop: bool = False) -> None:
        self._refusal = refusal
        self.over.set()
        self._concluded(drop)


def _closed(call: str) -> TransportError:
    return TransportClosed(call, "closed")
