"""What all ZeroMQ sockets of one run of Trio share."""

from __future__ import annotations

import itertools
from weakref import WeakSet

import attrs
import trio
import zmq

from aip_trio.transport.zeromq._kind import Kind

__all__ = ["Home", "current_home"]

#: Seconds that the end of a run waits for its context. Sockets that were closed have been waited for already.
_ENDING = 1.0


@attrs.define(eq=False)
class Home:
    """One context, so that the ``inproc://`` addresses of a run are its own, and names that are used once."""

    _context: zmq.Context[zmq.Socket[bytes]]
    _sockets: WeakSet[zmq.Socket[bytes]] = attrs.field(factory=WeakSet[zmq.Socket[bytes]], init=False)
    _numbers: itertools.count[int] = attrs.field(factory=itertools.count, init=False)

    def new_socket(self, kind: Kind) -> zmq.Socket[bytes]:
        """A bare socket. Until it is told otherwise nothing lingers in it. Raises zmq.ZMQError."""
        socket = self._context.socket(kind.value.type)
        socket.setsockopt(zmq.LINGER, 0)
        self._sockets.add(socket)
        return socket

    def new_name(self) -> str:
        """A name that nobody else in this run has."""
        return f"aip-trio.{next(self._numbers)}"

    async def end_with_the_run(self) -> None:
        """Close what nobody has closed, and end."""
        try:
            await trio.sleep_forever()
        finally:
            # Whoever used a socket has ended by now. One that is open would hold up the end for ever.
            for socket in list(self._sockets):
                socket.close(linger=0)
            # In a thread, because ending waits for what lingers; and not for long, because the run must end.
            with trio.move_on_after(_ENDING, shield=True):
                await trio.to_thread.run_sync(self._context.term, abandon_on_cancel=True)


_home: trio.lowlevel.RunVar[Home] = trio.lowlevel.RunVar("aip_trio.zeromq")


def current_home() -> Home:
    """That of this run, made when first asked for; it ends with the run. Outside of a run: RuntimeError."""
    try:
        return _home.get()
    except LookupError:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=1)
        # libzmq's own limit of 1023 is below what one process can serve.
        context.set(zmq.MAX_SOCKETS, context.get(zmq.SOCKET_LIMIT))
        home = Home(context)
        _home.set(home)
        trio.lowlevel.spawn_system_task(home.end_with_the_run, name="zeromq")
        return home
