"""Fleets of devices and agents that keep working when anything in them fails.

`aip_trio` itself offers the actors and the exceptions; the rest is in its packages.
"""

from aip_trio import actors, errors
from aip_trio.actors import *  # noqa: F403 - the two faces are re-exported whole
from aip_trio.errors import *  # noqa: F403

__all__: list[str] = []
__all__ += actors.__all__
__all__ += errors.__all__
