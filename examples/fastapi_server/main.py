"""A server of a fleet inside of a FastAPI application: devices and orchestrators connect to ``/ws``.

::

    python examples/fastapi_server/main.py --port 8000

Then, in other terminals::

    aip-trio device --url ws://127.0.0.1:8000/ws --id bench-1
    aip-trio task --url ws://127.0.0.1:8000/ws --device bench-1 --command system_info
    curl http://127.0.0.1:8000/devices

SIGINT and SIGTERM end it in order: running tasks are told, every connection gets its goodbye.
"""

import argparse
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio
from fastapi import FastAPI, WebSocket

from aip_trio import open_system
from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.web import serve_app

endpoint = DeviceServerEndpoint()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """The endpoint's actors live as long as the application does."""
    async with open_system():
        await endpoint.start()
        yield
        await endpoint.stop()


app = FastAPI(title="a fleet", lifespan=lifespan)


@app.websocket("/ws")
async def websocket_route(websocket: WebSocket) -> None:
    """Where devices and orchestrators come in."""
    await endpoint.handle_websocket(websocket)


@app.get("/devices")
async def devices() -> dict[str, list[str]]:
    """Who is connected, and the tasks that run there."""
    return {device_id: endpoint.sessions_of(device_id) for device_id in endpoint.devices}


async def main(host: str, port: int) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            server = await serve_app(app, host, port, nursery=nursery, drain=endpoint.stop)
            print(f"listening on {server.url}", flush=True)
            async for number in signals:
                print(f"{signal.Signals(number).name}: ending in order", flush=True)
                break
            await server.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="A fleet's server behind FastAPI.")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8000)
    given = options.parse_args()
    trio.run(main, given.host, given.port)
