"""A device whose server goes away and comes back: it reconnects by itself.

Prints::

    connected
    on_device_disconnected: bench-1
    connected again
"""

import trio

from aip_trio import open_system
from aip_trio.endpoints import DeviceClientEndpoint, DeviceServerEndpoint
from aip_trio.endpoints.tools import ToolClient, builtin_tools
from aip_trio.resilience import ReconnectionStrategy

STRATEGY = ReconnectionStrategy(max_retries=None, initial_backoff=0.05, max_backoff=1.0, jitter=True)


class Instrument(DeviceClientEndpoint):
    async def on_device_disconnected(self, device_id: str) -> None:
        print("on_device_disconnected:", device_id)
        await super().on_device_disconnected(device_id)


async def until_registered(server: DeviceServerEndpoint) -> None:
    """For this example; a program has no need to look."""
    while "bench-1" not in server.devices:  # noqa: ASYNC110 - there is no event for it
        await trio.sleep(0.01)


async def main() -> None:
    async with open_system():
        server = DeviceServerEndpoint(port=0)
        await server.start()
        device = Instrument(
            server.url, ToolClient("bench-1", builtin_tools()), reconnection_strategy=STRATEGY
        )
        await device.start()
        print("connected")

        await server.stop()
        server = DeviceServerEndpoint(port=server.port)
        await server.start()
        with trio.fail_after(10):
            await until_registered(server)
        print("connected again")
        await device.stop()


if __name__ == "__main__":
    trio.run(main)
