"""One server, and a client with each adapter; messages of 10,000 bytes are compressed on their way.

Prints::

    native: 10000 bytes there and back
    websockets: 10000 bytes there and back
    trio-websocket: 10000 bytes there and back
    InvalidSpec: compression='deflate': adapter=trio-websocket cannot: give None, or another adapter
"""

import trio

from aip_trio.errors import InvalidSpec
from aip_trio.transport import ADAPTERS, AdapterName, WebSocketTransport, serve_websocket


async def echo(transport: WebSocketTransport) -> None:
    """Runs for each connection."""
    await transport.send(await transport.receive())


async def ask(url: str, adapter: AdapterName) -> None:
    """A client that compresses, where its adapter can."""
    async with WebSocketTransport(
        adapter=adapter,
        compression=None if adapter == "trio-websocket" else "deflate",
        compression_threshold=1000,
    ) as transport:
        await transport.connect(url)
        await transport.send(b"x" * 10_000)
        print(f"{adapter}: {len(await transport.receive())} bytes there and back")


async def main() -> None:
    async with trio.open_nursery() as nursery:
        server = await serve_websocket(echo, nursery=nursery, compression="deflate")
        for adapter in ADAPTERS:
            await ask(server.url, adapter)
        await server.close()
    try:
        WebSocketTransport(adapter="trio-websocket", compression="deflate")
    except InvalidSpec as error:
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    trio.run(main)
