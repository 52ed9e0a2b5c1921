"""The machine that the device of `aip-trio rpc serve` runs on: what it is, and how busy it is."""

import os
import platform
import sys
from importlib.metadata import version

import attrs
import psutil

__all__ = ["Sample", "configuration", "take_sample"]


@attrs.frozen
class Sample:
    """How busy the machine was at a moment: percentages from 0 to 100, memory and disk in bytes.

    ``cpu_percent``: since the sample before it in this process, or over the time `take_sample` was given.
    """

    cpu_percent: float
    load_average: float
    memory_percent: float
    memory_available: int
    disk_percent: float
    disk_free: int
    processes: int


def take_sample(over: float | None = None) -> Sample:
    """Look at it; ``over``: seconds to measure the processors' load, None: since the sample before.

    Blocks so long, or longer where the disk does not answer: call it in a thread.
    """
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(os.path.abspath(os.sep))
    return Sample(
        cpu_percent=psutil.cpu_percent(interval=over),
        load_average=round(psutil.getloadavg()[0], 2),
        memory_percent=memory.percent,
        memory_available=memory.available,
        disk_percent=disk.percent,
        disk_free=disk.free,
        processes=len(psutil.pids()),
    )


def configuration() -> dict[str, object]:
    """What does not change while the device runs; memory and disk in bytes, ``booted`` in Unix seconds."""
    return {
        "version": version("aip-trio"),
        "python": platform.python_version(),
        "process": os.getpid(),
        "program": sys.executable,
        "folder": os.getcwd(),
        "machine": {
            "hostname": platform.node(),
            "os": platform.system(),
            "os_version": platform.release(),
            "architecture": platform.machine(),
            "cpu_count": os.cpu_count(),
            "memory_total": psutil.virtual_memory().total,
            "disk_total": psutil.disk_usage(os.path.abspath(os.sep)).total,
            "booted": psutil.boot_time(),
        },
    }
