"""A tool for a device, and a task of the server's that uses it: code that ``aip-trio`` loads."""

import random

from aip_trio.endpoints import Session
from aip_trio.endpoints.tools import tool
from aip_trio.messages import Command, ToolType


@tool(tool_type=ToolType.DATA_COLLECTION)
async def temperature(unit: str = "°C") -> float:
    """The temperature of the probe.

    :param unit: of the result, °C or °F
    """
    degrees = random.uniform(20, 21)
    return degrees if unit == "°C" else degrees * 9 / 5 + 32


async def measure(session: Session) -> dict[str, float]:
    """Measure as often as the request's metadata says, and sum up."""
    times = int(session.metadata["times"])
    look = Command(tool_name="temperature", tool_type=ToolType.DATA_COLLECTION)
    degrees = [result.result for result in await session.execute([look] * times)]
    session.log(f"{session.request}: the last was {degrees[-1]:.1f} °C")
    return {"mean": sum(degrees) / times, "measured": times}
