"""A fleet over ZeroMQ: the same endpoints as ever, at another URL. Keys say who may come in.

Prints::

    the server listens on tcp://127.0.0.1
    bench-1: 20.5 °C
    a stranger is not let in: ConnectFailed
"""

import trio

from aip_trio import open_system
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceClientEndpoint, DeviceServerEndpoint
from aip_trio.endpoints.tools import ToolClient, ToolRegistry
from aip_trio.errors import ConnectFailed
from aip_trio.transport.zeromq import CurveClient, CurveKeys, CurveServer


async def temperature() -> str:
    """The temperature of the probe."""
    await trio.sleep(0.01)  # the instrument takes its time
    return "20.5 °C"


def instrument(name: str) -> ToolClient:
    registry = ToolRegistry()
    registry.add(temperature)
    return ToolClient(name, registry)


async def main() -> None:
    door, bench, desk = CurveKeys.generate(), CurveKeys.generate(), CurveKeys.generate()
    async with open_system():
        server = DeviceServerEndpoint(
            url="tcp://127.0.0.1:0", curve=CurveServer(door.secret, [bench.public, desk.public])
        )
        await server.start()
        print(f"the server listens on {server.url.rpartition(':')[0]}")

        device = DeviceClientEndpoint(
            server.url, instrument("bench-1"), curve=CurveClient(door.public, bench.secret)
        )
        await device.start()
        orchestrator = ConstellationEndpoint("survey", curve=CurveClient(door.public, desk.secret))
        await orchestrator.start()
        await orchestrator.connect_to_device(AgentProfile(device_id="bench-1", server_url=server.url))
        done = await orchestrator.send_task_to_device(
            "bench-1", {"metadata": {"commands": [{"tool_name": "temperature"}]}}
        )
        print(f"bench-1: {done.result[0]['result']}")

        stranger = CurveClient(door.public, CurveKeys.generate().secret)
        try:
            await DeviceClientEndpoint(
                server.url, instrument("bench-2"), max_retries=0, curve=stranger
            ).start()
        except ConnectFailed as error:
            print(f"a stranger is not let in: {type(error).__name__}")

        await orchestrator.stop()
        await device.stop()
        await server.stop()


if __name__ == "__main__":
    trio.run(main)
