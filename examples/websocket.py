"""Messages over WebSocket, without actors: a server that answers, and a client.

Prints::

    the server got b'Hello Server'
    the client got b'Response'
    refused: HandshakeRefused, status 401
"""

import trio

from aip_trio.errors import HandshakeRefused
from aip_trio.transport import Handshake, Refusal, WebSocketTransport, serve_websocket


async def answer(transport: WebSocketTransport) -> None:
    """Runs for each connection; an exception here ends that one alone."""
    print("the server got", await transport.receive())
    await transport.send(b"Response")


def admit(handshake: Handshake) -> Refusal | None:
    """Whom to let in."""
    if handshake.header("authorization") == "Bearer swordfish":
        return None
    return Refusal(401, "who are you?")


async def main() -> None:
    async with trio.open_nursery() as nursery:
        server = await serve_websocket(answer, port=0, nursery=nursery, admit=admit)

        async with WebSocketTransport(ping_interval=10.0, ping_timeout=30.0) as transport:
            await transport.connect(server.url, headers=[("Authorization", "Bearer swordfish")])
            await transport.send(b"Hello Server")
            print("the client got", await transport.receive())

        async with WebSocketTransport() as transport:
            try:
                await transport.connect(server.url)
            except HandshakeRefused as refused:
                print(f"refused: {type(refused).__name__}, status {refused.status}")

        await server.close()


if __name__ == "__main__":
    trio.run(main)
