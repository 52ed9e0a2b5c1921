"""Decisions about failure, without I/O or clock: when to try again, and when to give up."""

from aip_trio.resilience._backoff import Backoff
from aip_trio.resilience._intensity import Restart, RestartWindow

__all__ = ["Backoff", "Restart", "RestartWindow"]
