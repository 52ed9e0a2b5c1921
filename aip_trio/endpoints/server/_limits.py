"""How much a server takes on."""

from __future__ import annotations

import attrs

from aip_trio.errors import InvalidSpec

__all__ = ["Limits"]


@attrs.frozen(kw_only=True)
class Limits:
    """Bounds of a server; what goes beyond one is refused with an error that names it.

    - ``clients``: registered devices and constellations together
    - ``connections``: sockets, those that have not registered yet included
    - ``tasks_per_client``: tasks of one client that run at the same time
    - ``message_size``: bytes of one message
    """

    clients: int = 10_000
    connections: int = 12_000
    tasks_per_client: int = 256
    message_size: int = 100 * 1024 * 1024

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(Limits):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidSpec(f"Limits.{field.name}", value, "give a number, 1 or more")
