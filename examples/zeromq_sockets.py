"""ZeroMQ's sockets on Trio: questions to devices by name, with keys, and who is there.

Prints::

    bench-1 answers: 21.5 degrees
    bench-2 answers: 22.0 degrees
    a stranger: the key is not one of those let in
    no connection with peer b'bench-3': it has gone, or has not said anything yet
"""

import trio

from aip_trio.errors import PeerGone
from aip_trio.transport.zeromq import (
    CurveClient,
    CurveKeys,
    CurveServer,
    HandshakeFailed,
    Kind,
    ZeroMQSocket,
)

HUB, FLEET, STRANGER = (CurveKeys.generate() for _ in range(3))


async def device(name: bytes, url: str, reading: bytes) -> None:
    """Says who it is, and answers whatever it is asked."""
    curve = CurveClient(HUB.public, FLEET.secret)
    async with ZeroMQSocket(Kind.DEALER, routing_id=name, curve=curve) as socket:
        await socket.connect(url)
        await socket.send([b"hello"])
        while True:
            await socket.receive()
            await socket.send([reading])


async def stranger(url: str) -> None:
    """Has a key that nobody knows."""
    curve = CurveClient(HUB.public, STRANGER.secret)
    async with ZeroMQSocket(Kind.DEALER, curve=curve, reconnect=None) as socket, socket.monitor() as events:
        await socket.connect(url)
        async for event in events:
            if isinstance(event, HandshakeFailed):
                print(f"a stranger: {event.reason}")
                return


async def main() -> None:
    curve = CurveServer(HUB.secret, clients=[FLEET.public])
    async with ZeroMQSocket(Kind.ROUTER, curve=curve) as hub, trio.open_nursery() as nursery:
        url = await hub.bind("tcp://127.0.0.1:*")
        for name, reading in ((b"bench-1", b"21.5 degrees"), (b"bench-2", b"22.0 degrees")):
            nursery.start_soon(device, name, url, reading)
            await hub.receive()
            await hub.send([name, b"temperature?"])
            name, answer = await hub.receive()
            print(f"{name.decode()} answers: {answer.decode()}")
        await stranger(url)
        try:
            await hub.send([b"bench-3", b"temperature?"])
        except PeerGone as error:
            print(error)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
