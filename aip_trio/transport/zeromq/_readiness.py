"""Waiting for a ZeroMQ socket."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import trio
import zmq

__all__ = ["READABLE", "WRITABLE", "Readiness"]

# As plain integers: arithmetic on pyzmq's enums costs more than a message does.
READABLE, WRITABLE = int(zmq.POLLIN), int(zmq.POLLOUT)
_EVENTS, _FD = int(zmq.EVENTS), int(zmq.FD)

#: Seconds after which one that waits for room at one peer among many tries again by itself.
_ONCE_MORE = 0.1


class Readiness:
    """Wakes the tasks that wait to send, or to receive, on one ZeroMQ socket.

    The socket's descriptor is readable while libzmq's mailbox for this socket holds news, such as "there is
    a message" or "there is room", and not while the socket is ready. Any call on the socket may read that
    news, whomever it is for (http://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_FD). Therefore:

    - one of the tasks that wait watches the descriptor, for all of them; the others are parked;
    - whoever has made a call on the socket then calls `look`, or `wait`, which wake those whom the news that
      the call has read concerns. `look` need not be called where `waiting` is 0;
    - one that has watched and leaves without trying, because it was cancelled, calls `look` as well.

    So whenever tasks are parked there is one that watches, or one that is about to try.

    ``picky``: whether there is room depends on the message, on the peer that it is for, and libzmq says only
    that there is room at some. Then all senders are woken, and as one that fails must not wake the others,
    who would fail and wake it, a sender also tries again by itself, ten times a second.
    """

    __slots__ = ("_ask", "_fd", "_picky", "_readers", "_socket", "_watched", "_writers", "waiting")

    def __init__(self, socket: zmq.Socket[bytes], *, picky: bool = False) -> None:
        self._socket = socket
        self._picky = picky
        self._ask = cast("Callable[[int], int]", socket.getsockopt)
        self._fd = self._ask(_FD)
        self._readers = trio.lowlevel.ParkingLot()
        self._writers = trio.lowlevel.ParkingLot()
        self._watched = 0  # the event that the one who watches waits for; 0: nobody does
        self.waiting = 0  # how many tasks do, the one who watches among them

    def may_be(self, event: int) -> bool:
        """Whether a try is worth it now. One should follow, or `wait`, as after any call on the socket."""
        return self._socket.closed or bool(self._ask(_EVENTS) & event)

    async def wait(self, event: int) -> None:
        """Wait until a call that has raised Again, or would have, is worth another try. A checkpoint."""
        picky = self._picky and event == WRITABLE
        if self.waiting and self._tell_others(event) & event and not picky:
            # Not to be cancelled: others may be parked, and rely on the try that follows.
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        self.waiting += 1
        try:
            if picky:
                with trio.move_on_after(_ONCE_MORE):
                    await self._watch_or_park(event)
            else:
                await self._watch_or_park(event)
        finally:
            self.waiting -= 1

    async def _watch_or_park(self, event: int) -> None:  # noqa: ASYNC910 - it does either
        if self._watched:
            await (self._readers if event == READABLE else self._writers).park()
            return
        self._watched = event
        tries = False
        try:
            await trio.lowlevel.wait_readable(self._fd)
            tries = True
        except trio.ClosedResourceError:
            tries = True  # by `look` or `close`: the try will tell
        finally:
            self._watched = 0
            if not tries:
                self.look()
        if event == WRITABLE:
            # Sending reads the news once in a millisecond only: without this, to try again would be to spin.
            self._events()
            if self._picky:
                self._writers.unpark_all()

    def look(self) -> None:
        """After a call on the socket: wake those whom the news that it has read concerns."""
        if not self.waiting:
            return
        ready = self._events()
        woken = self._unpark(ready)
        if self._watched:
            self._interrupt(ready)
        elif not woken:
            (self._readers or self._writers).unpark()  # it will find nothing, and watch

    def _tell_others(self, event: int) -> int:
        """Wake who waits for the other event, if it has come; what has come."""
        ready = self._events()
        others = ready & ~event
        self._unpark(others)
        self._interrupt(others)
        return ready

    def _events(self) -> int:
        # Reads the news, always.
        return 0 if self._socket.closed else self._ask(_EVENTS)

    def _unpark(self, ready: int) -> bool:
        # One of each is enough: after its call it will look in turn.
        woken = bool(ready & READABLE and self._readers.unpark())
        if ready & WRITABLE and self._writers.unpark(count=math.inf if self._picky else 1):
            woken = True
        return woken

    def _interrupt(self, ready: int) -> None:
        if ready & self._watched:
            trio.lowlevel.notify_closing(self._fd)  # the way to wake who waits for a descriptor

    def close(self) -> None:
        """Before the socket is closed: whoever waits tries again, and finds it closed."""
        trio.lowlevel.notify_closing(self._fd)
        self._readers.unpark_all()
        self._writers.unpark_all()
