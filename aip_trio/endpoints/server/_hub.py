"""What the actors of one server share."""

from __future__ import annotations

import attrs

from aip_trio.actors import ActorRef, SupervisorRef
from aip_trio.endpoints._fittings import Fittings
from aip_trio.endpoints.server._directory import Directory
from aip_trio.endpoints.server._session import TaskFunction
from aip_trio.protocol import LinkServer

__all__ = ["Hub"]


@attrs.define(eq=False, kw_only=True)
class Hub:
    """The directory, the task function, and the refs by which a server's parts find each other.

    Each part enters its ref when it starts; a ref outlives its actor's restarts.
    """

    directory: Directory
    function: TaskFunction
    #: connections that outlive their sockets
    links: LinkServer
    #: seconds: the first frame of a connection, the check of a ghost, a device's own answer about itself
    registration_timeout: float
    ghost_timeout: float
    info_timeout: float
    #: whether a client_id has to be a name in its client's certificate
    certificate_names_client: bool = False
    #: what the program adds to each connection
    fittings: Fittings = attrs.field(factory=Fittings)
    keeper: ActorRef = attrs.field(init=False)
    connections: SupervisorRef = attrs.field(init=False)
    tasks: SupervisorRef = attrs.field(init=False)
