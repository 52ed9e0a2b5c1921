"""The demo: a fleet of processes does a real job while some are killed, and plain code checks it."""

from aip_trio.cli.demo._command import demo

__all__ = ["demo"]
