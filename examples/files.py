"""A binary message, a file, and a file whose connection breaks on the way.

Prints::

    screenshot.png: 4 bytes, taken by bench-1
    log.bin: 5000000 bytes, whole
    the sender: ConnectionLost
    the receiver: ConnectionLost
    the folder has ['.log.bin.part', '.log.bin.part.journal']
    sent from byte 3145728 on
    the folder has ['log.bin']
"""

import os
import tempfile
from functools import partial
from pathlib import Path

import trio

from aip_trio.protocol import AIPProtocol
from aip_trio.transport import MemoryTransport, WebSocketTransport, serve_websocket


async def take(folder: Path, transport: WebSocketTransport) -> None:
    """Runs for each connection to the server."""
    protocol = AIPProtocol(transport)
    data, said = await protocol.receive_binary_message()
    print(f"{said['filename']}: {len(data)} bytes, taken by {said['device']}")
    received = await protocol.receive_file(folder, max_size=2**30)
    print(f"{received['filename']}: {received['size']} bytes, whole")
    await transport.send(b"thanks")


async def give(url: str, path: Path) -> None:
    async with WebSocketTransport() as transport:
        await transport.connect(url)
        protocol = AIPProtocol(transport)
        await protocol.send_binary_message(b"\x89PNG", {"filename": "screenshot.png", "device": "bench-1"})
        await protocol.send_file(path)
        await transport.receive()  # the other end has it


async def send(transport: MemoryTransport, path: Path, breaks_at: int) -> None:
    sent: list[int] = []

    def progress(done: int, total: int) -> None:
        sent.append(done)
        if done == breaks_at:
            transport.cut()

    try:
        await AIPProtocol(transport).send_file(path, resume=True, progress=progress)
        print(f"sent from byte {sent[0] - 2**20} on")
    except ConnectionError as error:
        print(f"the sender: {type(error).__name__}")


async def receive(transport: MemoryTransport, folder: Path) -> None:
    try:
        await AIPProtocol(transport).receive_file(folder)
    except ConnectionError as error:
        print(f"the receiver: {type(error).__name__}")


async def break_and_go_on(path: Path, folder: Path) -> None:
    for breaks_at in (3 * 2**20, 0):
        here, there = MemoryTransport.pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, here, path, breaks_at)
            nursery.start_soon(receive, there, folder)
        print("the folder has", sorted(os.listdir(folder)))


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        log, first, second = (Path(folder) / name for name in ("log.bin", "first", "second"))
        log.write_bytes(os.urandom(5_000_000))
        first.mkdir()
        second.mkdir()
        async with trio.open_nursery() as nursery:
            server = await serve_websocket(partial(take, first), nursery=nursery)
            await give(server.url, log)
            await server.close()
        await break_and_go_on(log, second)


if __name__ == "__main__":
    trio.run(main)
