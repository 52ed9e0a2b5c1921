"""The address of a service's socket."""

from __future__ import annotations

from collections.abc import Mapping

import trio
import zmq

from aip_trio.errors import AddressInUse
from aip_trio.transport.zeromq import ZeroMQSocket

__all__ = ["KEEPALIVE", "listen", "port_of"]

#: A peer whose machine is gone is noticed after two minutes, by the kernel: pings of libzmq's own would take
#: a process that is held for a while for one that is gone.
KEEPALIVE: Mapping[int, int] = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 60,
    zmq.TCP_KEEPALIVE_INTVL: 15,
    zmq.TCP_KEEPALIVE_CNT: 4,
}

#: Seconds that a part which is started again waits for the port that its last incarnation had.
_PATIENCE = 2.0


def port_of(url: str) -> int:
    """The port in a URL that ends with one."""
    return int(url.rpartition(":")[2])


async def listen(socket: ZeroMQSocket, host: str, port: int, before: str | None) -> str:
    """Have a socket listen. Returns where. Raises AddressInUse, CannotListen, InvalidUrl. A checkpoint.

    ``before``: where the one listened whose place it takes.
    """
    if before is None:
        shown = f"[{host}]" if ":" in host else host
        return await socket.bind(f"tcp://{shown}:{port or '*'}")
    with trio.move_on_after(_PATIENCE):
        while True:
            try:
                return await socket.bind(before)
            except AddressInUse:
                await trio.sleep(0.01)
    return await socket.bind(before)
