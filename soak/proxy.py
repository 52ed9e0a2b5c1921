"""The network that breaks, a program of its own.

``python -m soak.proxy {JSON}`` with ``port`` (of the server), ``seed``, ``life`` (seconds that a connection
has on the average) and ``offer`` (the only subprotocol that clients' offers reach the server with; null: all
of them). It prints the port that it listens at; when its standard input is closed it prints what it has
done, and ends.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
from collections import Counter
from random import Random

import attrs
import trio

from soak._fates import Direction, Ending, Fate, fate
from soak._stdin import stdin_closed

__all__ = ["Proxy", "main"]

_OFFER = re.compile(rb"^sec-websocket-protocol:[^\r\n]*\r\n", re.IGNORECASE | re.MULTILINE)
_AGREED = re.compile(rb"^sec-websocket-protocol: *([^\r\n]*)\r\n", re.IGNORECASE | re.MULTILINE)

#: SO_LINGER: on, and no seconds: closing sends a reset.
_RESET = struct.pack("ii", 1, 0)


@attrs.define(eq=False)
class Passage:
    """One connection: two streams, and whether bytes may pass."""

    client: trio.SocketStream
    server: trio.SocketStream
    fate: Fate
    passed: dict[Direction, int] = attrs.field(factory=lambda: dict.fromkeys(Direction, 0))
    opened: trio.Event = attrs.field(factory=trio.Event)
    truncated: bool = False

    def pause(self) -> None:
        """Let nothing pass until `resume`."""
        self.opened = trio.Event()

    def resume(self) -> None:
        self.opened.set()

    def room(self, direction: Direction) -> int | None:
        """How many bytes may still go that way; None: all."""
        if self.fate.ending is not Ending.TRUNCATE or direction is not self.fate.direction:
            return None
        return self.fate.bytes - self.passed[direction]


@attrs.define(eq=False)
class Proxy:
    """Passes TCP on to a port of this machine, each connection until its fate."""

    port: int
    random: Random
    life: float
    offer: str | None = None
    counts: Counter[str] = attrs.field(init=False, factory=Counter[str])

    def fate(self) -> Fate:
        """What becomes of the next connection."""
        return fate(self.random, self.life)

    async def serve(self, client: trio.SocketStream) -> None:
        """One connection."""
        self.counts["connections"] += 1
        try:
            server = await trio.open_tcp_stream("127.0.0.1", self.port)
        except OSError:
            self.counts["unreachable"] += 1
            await trio.aclose_forcefully(client)
            return
        passage = Passage(client, server, self.fate())
        passage.resume()
        reset = False
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, passage, Direction.UP, nursery.cancel_scope)
                nursery.start_soon(self._pump, passage, Direction.DOWN, nursery.cancel_scope)
                await self._strike(passage)
                reset = passage.fate.ending is not Ending.DROP
                self.counts[passage.fate.ending.value] += 1
                nursery.cancel_scope.cancel()
            if passage.truncated:
                reset = True
                self.counts[Ending.TRUNCATE.value] += 1
        finally:
            with trio.CancelScope(shield=True):  # closing by force never waits
                for stream in (client, server):
                    if reset:
                        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    await trio.aclose_forcefully(stream)

    async def _strike(self, passage: Passage) -> None:
        """Let a connection live, with its stalls, as long as it has."""
        began = trio.current_time()
        for stall in passage.fate.stalls:
            await trio.sleep_until(began + stall.after)
            self.counts["stalls"] += 1
            passage.pause()
            await trio.sleep(stall.lasts)
            passage.resume()
        await trio.sleep_until(began + passage.fate.after)
        if passage.fate.ending is Ending.SILENCE:
            passage.pause()
            await trio.sleep(passage.fate.silence)

    async def _pump(self, passage: Passage, direction: Direction, end: trio.CancelScope) -> None:
        """Pass bytes on in one direction, to the end of either stream."""
        up = direction is Direction.UP
        source, sink = (passage.client, passage.server) if up else (passage.server, passage.client)
        try:
            async for data in source:
                await passage.opened.wait()
                if not passage.passed[direction]:
                    data = self._head(data, up)
                room = passage.room(direction)
                part = data[:room]
                await sink.send_all(part)
                passage.passed[direction] += len(part)
                self.counts["bytes"] += len(part)
                if len(part) == room:
                    passage.truncated = True
                    break
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        end.cancel()

    def _head(self, data: bytes | bytearray, up: bool) -> bytes | bytearray:
        """The first bytes of a direction: the handshake's, where the two ends agree on the link's version.

        On one machine a head comes in one piece. (If it once does not, that link's version is not seen.)
        """
        if up:
            if self.offer is None:
                return data
            return _OFFER.sub(f"Sec-WebSocket-Protocol: {self.offer}\r\n".encode(), data)
        agreed = _AGREED.search(data)
        self.counts[f"link {agreed[1].decode() if agreed else 'aip.v1'}"] += 1
        return data


async def main(port: int, seed: str, life: float, offer: str | None) -> None:
    """Serve until standard input is closed."""
    proxy = Proxy(port, Random(seed), life, offer)
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    print(listener.socket.getsockname()[1], flush=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, proxy.serve, [listener])
        await stdin_closed()
        nursery.cancel_scope.cancel()
    print(json.dumps(proxy.counts), flush=True)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    trio.run(main, options["port"], options["seed"], options["life"], options["offer"])
