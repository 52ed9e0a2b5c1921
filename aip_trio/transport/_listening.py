"""Opening the sockets of a server."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import trio

from aip_trio.actors import current_environment
from aip_trio.errors import AddressInUse, CannotListen

__all__ = ["listen", "port_of"]


async def listen(host: str, port: int) -> Sequence[trio.abc.Listener[trio.abc.HalfCloseableStream]]:
    """Listen at an address; port 0 picks one. A checkpoint. Raises AddressInUse, CannotListen."""
    try:
        listeners = await current_environment().open_tcp_listeners(port, host=host)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(host, port) from error
        raise CannotListen(host, port, error.strerror or str(error)) from error
    # A name with several addresses and port 0 has got several ports: one is enough.
    if port == 0:
        for listener in listeners[1:]:
            await listener.aclose()
        return listeners[:1]
    return listeners


def port_of(listeners: Sequence[trio.abc.Listener[trio.abc.Stream]], asked: int) -> int:
    """The port that was picked."""
    (first, *_) = listeners
    return int(first.socket.getsockname()[1]) if isinstance(first, trio.SocketListener) else asked
