"""Our server in a program of its own, for what `aip-trio server` has no option for: short times, and offers.

``python -m tests.interop.quick_server {JSON}`` takes keywords of `DeviceServerEndpoint`, and prints the URL
that it listens at. Each line of its standard input is a JSON object of ``device``, ``request`` and ``name``:
a task that it offers.
"""

import json
import sys
from collections.abc import AsyncGenerator
from typing import Any

import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import DeviceServerEndpoint

__all__ = ["main"]


@trio.as_safe_channel
async def lines() -> AsyncGenerator[bytes]:
    """Those of standard input, to its end."""
    rest = b""
    async with trio.lowlevel.FdStream(sys.stdin.fileno()) as stream:
        async for chunk in stream:
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line


async def main(options: dict[str, Any]) -> None:
    """Serve until standard input is closed."""
    async with open_system(), lines() as offers:
        server = DeviceServerEndpoint(port=0, **options)
        await server.start()
        print(server.url, flush=True)
        async for line in offers:
            offer = json.loads(line)
            await server.offer_task(offer["device"], offer["request"], offer["name"])


if __name__ == "__main__":
    trio.run(main, json.loads(sys.argv[1]))
