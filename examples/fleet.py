"""A server, two devices with a tool of their own, and an orchestrator that gives both something to do.

All in one process here; each is as well a process of its own, on a machine of its own.

Prints::

    bench-1 is at 20.5 °C
    bench-2 is at 21.5 °C
    bench-1: completed: {'mean': 20.5, 'measured': 3}
    bench-2: completed: {'mean': 21.5, 'measured': 3}
    bench-3: device 'bench-3' is not connected

Logs::

    a connection was refused: the server refused to register 'survey@bench-3': device 'bench-3' is…
"""

import trio

from aip_trio import open_system
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    Session,
)
from aip_trio.endpoints.tools import ToolClient, ToolRegistry
from aip_trio.errors import RegistrationRefused
from aip_trio.messages import Command, ToolType


async def measure(session: Session) -> dict[str, float]:
    """The server's side of a task: measures as often as the request's metadata says, and sums up."""
    times = int(session.metadata["times"])
    command = Command(tool_name="temperature", parameters={"unit": "°C"}, tool_type=ToolType.DATA_COLLECTION)
    results = await session.execute([command] * times)
    degrees = [result.result for result in results]
    session.log(f"{session.device_id} is at {degrees[-1]} °C")
    return {"mean": sum(degrees) / len(degrees), "measured": len(degrees)}


def instrument(name: str, degrees: float) -> ToolClient:
    """What does the work on a device: here one tool, whose parameters are checked against its annotations."""

    async def temperature(unit: str) -> float:
        """The temperature of the probe."""
        await trio.sleep(0.01)  # the instrument takes its time
        return degrees if unit == "°C" else degrees * 9 / 5 + 32

    registry = ToolRegistry()
    registry.add(temperature, tool_type=ToolType.DATA_COLLECTION)
    return ToolClient(name, registry)


async def main() -> None:
    async with open_system():
        server = DeviceServerEndpoint(port=0, task=measure)
        await server.start()
        for name, degrees in (("bench-1", 20.5), ("bench-2", 21.5)):
            await DeviceClientEndpoint(server.url, instrument(name, degrees)).start()

        orchestrator = ConstellationEndpoint("survey")
        await orchestrator.start()
        for name in ("bench-1", "bench-2"):
            await orchestrator.connect_to_device(AgentProfile(device_id=name, server_url=server.url))
        ended = [
            await orchestrator.send_task_to_device(
                name, {"request": "measure", "metadata": {"times": 3}}, on_log=print
            )
            for name in ("bench-1", "bench-2")
        ]
        for result in ended:
            print(f"{result.metadata['device_id']}: {result.status.value}: {result.result}")

        missing = AgentProfile(device_id="bench-3", server_url=server.url, max_retries=0)
        try:
            await orchestrator.connect_to_device(missing)
        except RegistrationRefused as refused:
            print(f"bench-3: {refused.reason}")


if __name__ == "__main__":
    trio.run(main)
