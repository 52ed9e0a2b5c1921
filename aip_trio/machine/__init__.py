"""Protocols and lifecycles as state machines written as tables.

A `Machine` is the table, checked when it is made; a `Tracker` is one walk through it. Neither does
any I/O: whoever owns a connection or a device fires the tracker first, and acts when it agrees.
"""

from ._machine import Machine
from ._tracker import Tracker

__all__ = ["Machine", "Tracker"]
