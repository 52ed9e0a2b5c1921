"""One way over WebSocket, typed at both ends, between two processes on the loopback: as many as go."""

from __future__ import annotations

import asyncio
from functools import partial

import trio

from aip_trio.messages import ClientMessage, Codec
from aip_trio.protocol import LinkServer
from aip_trio.transport import AdapterName, WebSocketTransport, serve_websocket
from benchmarks._far import far
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target
from benchmarks._stream import FORMATS, Flow

__all__ = ["ROW"]


def over_link(load: Load, subprotocol: str, adapter: AdapterName = "native") -> Measures:
    """A server's end of a link."""
    flow = Flow(load.work)
    codec = Codec(ClientMessage, format=FORMATS[subprotocol])

    async def main() -> None:
        links = LinkServer()
        ended = trio.Event()

        async def handle(transport: WebSocketTransport) -> None:
            link, _ = await links.accept(transport)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(link.carry, transport)
                come = 0
                while not flow.came(come):
                    frames = await link.receive_many()
                    come = len([codec.decode(frame, ClientMessage) for frame in frames])
                ended.set()

        async with trio.open_nursery() as nursery:
            server = await serve_websocket(
                handle, nursery=nursery, subprotocols=[subprotocol], adapter=adapter
            )
            with far("stream", server.port, adapter, subprotocol, str(load.work)):
                await ended.wait()
                nursery.cancel_scope.cancel()

    trio.run(main)
    return flow.measures()


def pydantic(load: Load) -> Measures:
    """`websockets` on asyncio, and pydantic's classes: one message for each frame."""
    from websockets.asyncio.server import ServerConnection, serve

    from benchmarks import _pydantic

    flow = Flow(load.work)

    async def main() -> None:
        ended = asyncio.Event()

        async def handle(websocket: ServerConnection) -> None:
            async for frame in websocket:
                _pydantic.ClientMessage.model_validate_json(frame)
                if flow.came(1):
                    break
            ended.set()

        async with serve(handle, "127.0.0.1", 0, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            with far("pydantic stream", port, "", "", str(load.work)):
                await ended.wait()

    asyncio.run(main())
    return flow.measures()


JSON, MSGPACK = FORMATS
PACKED = "aip_trio, MessagePack"
FAST = "aip_trio, adapter websockets"
FAST_PACKED = "aip_trio, MessagePack, adapter websockets"
GIVEN = "aip_trio, adapter trio-websocket"
PYDANTIC = "websockets + pydantic"
RATE = "messages/s"
FOURFOLD = Target(4, ratio=True)

ROW = Row(
    name="oneway",
    title="one way over a v2 link, two processes",
    work=60_000,
    rounds=5,
    subjects=(
        Subject(OURS, partial(over_link, subprotocol=JSON)),
        Subject(PACKED, partial(over_link, subprotocol=MSGPACK)),
        Subject(FAST, partial(over_link, subprotocol=JSON, adapter="websockets"), needs="websockets"),
        Subject(
            FAST_PACKED, partial(over_link, subprotocol=MSGPACK, adapter="websockets"), needs="websockets"
        ),
        Subject(GIVEN, partial(over_link, subprotocol=JSON, adapter="trio-websocket")),
        Subject(PYDANTIC, pydantic, needs=("pydantic", "websockets"), share=0.5),
    ),
    figures=(
        Figure("JSON, native", "rate", RATE, OURS, PYDANTIC, FOURFOLD),
        Figure("MessagePack, native", "rate", RATE, PACKED, PYDANTIC, FOURFOLD),
        Figure("JSON, websockets", "rate", RATE, FAST, PYDANTIC, FOURFOLD),
        Figure("MessagePack, websockets", "rate", RATE, FAST_PACKED, PYDANTIC, FOURFOLD),
        Figure("JSON, trio-websocket", "rate", RATE, GIVEN, PYDANTIC),
        Figure("JSON, native: both processors", "cpu", "µs", OURS, PYDANTIC),
    ),
)
