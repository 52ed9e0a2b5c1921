"""A link that loses nothing: its socket breaks between two messages, and both arrive, once.

Prints::

    the server got b'"before"'
    the client got b'"thanks"'
    the socket is cut
    the server got b'"after"'
    the client got b'"thanks"'
    resumptions: 1
    the server sees the end: ConnectionLost, code 1000
"""

from functools import partial

import trio

from aip_trio import open_system
from aip_trio.errors import ConnectionLost
from aip_trio.protocol import SUBPROTOCOLS, LinkServer, LinkTransport, open_link
from aip_trio.transport import Transport, WebSocketTransport, serve_websocket


async def main() -> None:
    links = LinkServer(window=120.0)
    done = trio.Event()

    async def serve(physical: WebSocketTransport) -> None:
        """Runs for each socket; the link outlives it."""
        link, resumed = await links.accept(physical)
        if not resumed:
            nursery.start_soon(answer, link, done)
        await link.carry(physical)

    async with open_system(), trio.open_nursery() as nursery:
        server = await serve_websocket(serve, subprotocols=SUBPROTOCOLS)
        link = await open_link(partial(dial, server.url))
        assert isinstance(link, LinkTransport)
        await link.send(b'"before"')
        print("the client got", await link.receive())
        await link.drop()
        print("the socket is cut")
        await link.send(b'"after"')
        print("the client got", await link.receive())
        print("resumptions:", link.resumptions)
        await link.close()
        await done.wait()
        await server.close()


async def dial(url: str) -> Transport:
    """A new socket, which offers to be a link's."""
    transport = WebSocketTransport()
    await transport.connect(url, subprotocols=SUBPROTOCOLS)
    return transport


async def answer(link: LinkTransport, done: trio.Event) -> None:
    """What comes is JSON, or MessagePack, as ``link.format`` says."""
    try:
        while True:
            print("the server got", await link.receive())
            await link.send(b'"thanks"')
    except ConnectionLost as lost:
        print(f"the server sees the end: {type(lost).__name__}, code {lost.code}")
    done.set()


if __name__ == "__main__":
    trio.run(main)
