"""How much may be on its way between two ends: decided by bytes, without I/O.

One ROUTER carries all connections of a server, so what one of them does not take must not hold up the others:
each end says how much it is willing to hold, and the other sends no more than that.

A sender marks a message now and then, by bytes that nobody can guess, and the receiver sends the mark back
once the application has taken the message. So a peer that claims to have taken what it never read is caught.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from aip_trio.errors import ConnectionLost
from aip_trio.transport._codec import FrameFault
from aip_trio.transport._codes import POLICY, PROTOCOL_ERROR

__all__ = ["WINDOW", "Inflow", "Outflow", "weight"]

#: Bytes that an end holds, and sends ahead: one message may go beyond it.
WINDOW = 1024 * 1024

#: What a message counts beside its bytes: it takes that room, and so a window is at most 1,024 messages.
_ENVELOPE = 1024


def weight(size: int) -> int:
    """What a message of so many bytes counts."""
    return size + _ENVELOPE


class Outflow:
    """What has been sent, and how much of it was taken. ``window``: of the other end.

    ``new_mark`` makes one that nobody can guess.
    """

    __slots__ = ("_marked", "_marks", "_new_mark", "_sent", "_stride", "_taken", "_window")

    def __init__(self, window: int, new_mark: Callable[[], bytes]) -> None:
        self._window = min(window, WINDOW)
        self._stride = self._window // 4
        self._new_mark = new_mark
        self._sent = self._taken = self._marked = 0
        self._marks: deque[tuple[bytes, int]] = deque()

    @property
    def open(self) -> bool:
        """Whether a message may be sent, however large it is."""
        return self.ahead < self._window

    @property
    def ahead(self) -> int:
        """What was sent, and not taken as far as is known."""
        return self._sent - self._taken

    def send(self, *sizes: int) -> bytes:
        """Messages of so many bytes are sent as one: the mark for the last of them, or nothing."""
        self._sent += sum(map(weight, sizes))
        if self._sent - self._marked < self._stride:
            return b""
        self._marked = self._sent
        mark = self._new_mark()
        self._marks.append((mark, self._sent))
        return mark

    def taken(self, mark: bytes) -> None:
        """The other end has sent a mark back, which stands for those before it too. Raises FrameFault."""
        if all(mark != waiting for waiting, _ in self._marks):
            reason = "it has taken what was not sent to it"
            raise FrameFault(PROTOCOL_ERROR, reason, ConnectionLost(PROTOCOL_ERROR, reason))
        waiting = b""
        while waiting != mark:
            waiting, self._taken = self._marks.popleft()


class Inflow:
    """What has come, and was not taken yet. ``window``: what this end has said that it holds."""

    __slots__ = ("_came", "_held", "_marks", "_took", "_window")

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._held = 0
        self._came = self._took = 0  # messages
        self._marks: deque[tuple[int, bytes]] = deque()

    @property
    def held(self) -> int:
        """What has come and waits, by its `weight`."""
        return self._held

    def came(self, *sizes: int, mark: bytes) -> None:
        """Messages that were sent as one. Raises FrameFault where the other end was not free to."""
        if self._held >= self._window:
            reason = f"it sends more than the window of {self._window} bytes"
            raise FrameFault(POLICY, reason, ConnectionLost(POLICY, reason))
        self._held += sum(map(weight, sizes))
        self._came += len(sizes)
        if mark:
            self._marks.append((self._came, mark))

    def took(self, size: int) -> bytes:
        """The application has taken the next one: the mark to send back, or nothing."""
        self._held -= weight(size)
        self._took += 1
        if not self._marks or self._marks[0][0] != self._took:
            return b""
        return self._marks.popleft()[1]

    def drop(self) -> Iterator[bytes]:
        """All that waits is dropped: the marks to send back."""
        self._held = 0
        self._took = self._came
        while self._marks:
            yield self._marks.popleft()[1]
