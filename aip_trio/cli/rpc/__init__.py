"""The commands of events and commands over ZeroMQ: a device to try things on, and what talks to any."""

from aip_trio.cli.rpc._acquisition import ACQUISITION_MACHINE
from aip_trio.cli.rpc._bridge import bridge
from aip_trio.cli.rpc._console import console
from aip_trio.cli.rpc._send import send
from aip_trio.cli.rpc._serve import serve
from aip_trio.cli.rpc._watch import watch

__all__ = ["ACQUISITION_MACHINE", "bridge", "console", "send", "serve", "watch"]
