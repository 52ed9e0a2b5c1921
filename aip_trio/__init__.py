"""Fleets of devices and agents that keep working when anything in them fails.

`aip_trio` itself offers the actors and the exceptions; the rest is in its packages.
"""

from aip_trio.actors import *  # noqa: F403 - the two faces below are re-exported whole
from aip_trio.actors import __all__ as _actors
from aip_trio.errors import *  # noqa: F403
from aip_trio.errors import __all__ as _errors

__all__ = [*_actors, *_errors]
