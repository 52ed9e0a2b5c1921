"""The program ``aip-trio``."""

from aip_trio.cli._main import main

__all__ = ["main"]
