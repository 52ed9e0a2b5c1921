"""The machine that a device runs on: what it is, and how busy it is."""

import os
import platform

import attrs
import trio

from aip_trio.endpoints.tools._tool import tool
from aip_trio.errors import ToolUnavailable
from aip_trio.messages import ToolType

__all__ = ["Load", "Machine", "live_load", "machine_facts", "system_info"]

#: Seconds over which the processors' load is measured.
_INTERVAL = 0.1


@attrs.frozen
class Machine:
    """What does not change while a machine runs. ``memory``: bytes, where the system tells."""

    hostname: str
    os: str
    os_version: str
    architecture: str
    cpu_count: int | None
    memory: int | None


@attrs.frozen
class Load:
    """How busy a machine is: percentages from 0 to 100, memory in bytes.

    ``load_average``: processes that run or wait, over 1, 5 and 15 minutes.
    """

    cpu_percent: float
    load_average: tuple[float, float, float]
    memory_total: int
    memory_available: int
    memory_percent: float
    swap_percent: float
    processes: int


def machine_facts() -> Machine:
    """The machine of this process."""
    return Machine(
        hostname=platform.node(),
        os=platform.system(),
        os_version=platform.release(),
        architecture=platform.machine(),
        cpu_count=os.cpu_count(),
        memory=_memory(),
    )


@tool(tool_type=ToolType.DATA_COLLECTION)
async def system_info() -> Machine:
    """Tell what machine this is: operating system, processors, memory."""
    await trio.lowlevel.checkpoint()
    return machine_facts()


@tool(tool_type=ToolType.DATA_COLLECTION)
async def live_load() -> Load:
    """Tell how busy the machine is right now: processors, memory, processes."""
    return await trio.to_thread.run_sync(_load)


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a system that says so
        return None


def _load() -> Load:
    try:
        import psutil
    except ImportError as error:
        raise ToolUnavailable(
            "live_load", "the device lacks psutil: install it with pip install 'aip-trio[cli]'"
        ) from error
    memory = psutil.virtual_memory()
    return Load(
        cpu_percent=psutil.cpu_percent(interval=_INTERVAL),
        load_average=psutil.getloadavg(),
        memory_total=memory.total,
        memory_available=memory.available,
        memory_percent=memory.percent,
        swap_percent=psutil.swap_memory().percent,
        processes=len(psutil.pids()),
    )
