"""The demo: a first real job on a supervised tree, with crashes, and checked by plain code."""

from aip_trio.cli.demo._command import demo

__all__ = ["demo"]
