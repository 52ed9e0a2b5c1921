"""What a server has taken on, and what it has refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import attrs

__all__ = ["ServerStatistics", "Tally"]


@attrs.frozen(kw_only=True)
class ServerStatistics:
    """Counters of a `DeviceServerEndpoint`; see its `statistics`."""

    #: that are connected now
    clients: int
    devices: int
    #: that run now
    tasks: int
    #: sockets that are open now, and TCP connections since it listens
    connections: int
    accepted: int
    #: how many were refused since it listens, by the rule or the limit that they met: of handshakes
    #: ``request`` (it was none), ``path``, ``origin``, ``host``, ``local``, ``token``, ``connections``,
    #: ``connections_per_address``; of registrations ``registration`` (no proper first frame in time),
    #: ``certificate``, ``taken``, ``target``, ``clients``; of tasks ``task`` (it makes no sense),
    #: ``tasks_per_client``, ``sessions_per_device``
    refused: Mapping[str, int]
    #: connections that left, were too slow, or spoke no TLS, before their handshake was done
    failed: int
    #: clients that were closed because they did not take what waited for them
    slow: int


@attrs.define(eq=False)
class Tally:
    """What the parts of a server count; it outlives them."""

    refused: Counter[str] = attrs.field(factory=Counter[str])
    slow: int = 0
