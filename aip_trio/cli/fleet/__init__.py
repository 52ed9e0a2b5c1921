"""The commands of a fleet: its server, its devices, and what is asked of them."""

from aip_trio.cli.fleet._device import device
from aip_trio.cli.fleet._info import info
from aip_trio.cli.fleet._server import server
from aip_trio.cli.fleet._task import task
from aip_trio.cli.fleet._tools import tools

__all__ = ["device", "info", "server", "task", "tools"]
