"""Watching a socket's connections."""

from __future__ import annotations

import sys
from collections import deque
from types import TracebackType
from typing import Self

import trio
import zmq

from aip_trio.errors import ZeroMQFailed
from aip_trio.transport.zeromq._context import current_home
from aip_trio.transport.zeromq._events import EventsLost, MonitorEvent, SocketEvent, read_event
from aip_trio.transport.zeromq._fault import closed, named
from aip_trio.transport.zeromq._kind import Kind
from aip_trio.transport.zeromq._traffic import Traffic

__all__ = ["Feed", "Monitor"]

_STOPPED = int(zmq.EVENT_MONITOR_STOPPED).to_bytes(2, sys.byteorder)


class Feed:
    """Reads what libzmq tells of one socket, for all its monitors and for whoever waits until it is gone.

    libzmq has one such feed for a socket, and the thread that does its I/O waits when nobody reads it. So it
    has a task that reads, from the first monitor on, or from the socket's end.
    """

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket
        self._started = False
        self._monitors: set[Monitor] = set()
        #: libzmq has nothing left of the socket: it does not listen, and nothing lingers
        self.ended = trio.Event()

    def start(self) -> None:
        """Have events read, unless they are. Raises ZeroMQFailed, ClosedResourceError."""
        if self._socket.closed:
            raise closed()
        if self._started:
            return
        home = current_home()
        url = f"inproc://{home.new_name()}"
        try:
            pair = home.new_socket(Kind.PAIR)
        except zmq.ZMQError as error:
            raise named(error, Kind.PAIR, "socket") from None
        try:
            pair.setsockopt(zmq.RCVHWM, 0)  # full, it would hold up libzmq's thread
            pair.connect(url)
            self._socket.monitor(url, zmq.EVENT_ALL)
        except zmq.ZMQError as error:
            pair.close()
            raise named(error, Kind.PAIR, "monitor") from None
        self._started = True
        trio.lowlevel.spawn_system_task(self._read, Traffic(Kind.PAIR, pair), name="zeromq-monitor")

    def try_start(self) -> bool:
        """The same, where there is room for one more socket."""
        try:
            self.start()
        except ZeroMQFailed:
            return False
        return True

    async def _read(self, traffic: Traffic) -> None:  # noqa: ASYNC910 - it always receives
        try:
            while True:
                for frames in await traffic.receive_many():
                    if frames[0][:2] == _STOPPED:
                        return
                    event = read_event(frames)
                    if event is not None:
                        for monitor in self._monitors:
                            monitor.put(event)
        except trio.ClosedResourceError:
            pass  # with the run
        finally:
            traffic.close_now()
            self.ended.set()
            for monitor in self._monitors:
                monitor.end()

    def add(self, monitor: Monitor) -> None:
        """Have it told."""
        self._monitors.add(monitor)

    def remove(self, monitor: Monitor) -> None:
        """Tell it nothing more. The feed goes on: the socket's end will need it."""
        self._monitors.discard(monitor)


class Monitor:
    """The events of one socket: ``async with socket.monitor() as events: async for event in events:``.

    It ends with the socket. Of ``inproc://`` libzmq tells nothing. Where more than ``limit`` events wait to
    be taken, the oldest are left out, and one `EventsLost` stands for them.
    """

    def __init__(self, feed: Feed, limit: int) -> None:
        self._feed = feed
        self._limit = limit
        self._events: deque[SocketEvent] = deque()
        self._lost = 0
        self._ended = False
        self._news = trio.lowlevel.ParkingLot()

    def put(self, event: SocketEvent) -> None:
        """One more."""
        if len(self._events) >= self._limit:
            self._events.popleft()
            self._lost += 1
        self._events.append(event)
        self._news.unpark_all()

    def end(self) -> None:
        """There will be no more."""
        self._ended = True
        self._news.unpark_all()

    async def __aenter__(self) -> Self:
        await trio.lowlevel.checkpoint()
        self._feed.start()
        self._feed.add(self)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._feed.remove(self)
        self.end()
        await trio.lowlevel.checkpoint()  # noqa: ASYNC102 - all is done already

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MonitorEvent:
        await trio.lowlevel.checkpoint()
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            await self._news.park()
        if self._lost:
            lost, self._lost = self._lost, 0
            return EventsLost(lost)
        return self._events.popleft()
