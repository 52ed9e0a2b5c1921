"""What the actors of one server share."""

from __future__ import annotations

import attrs

from aip_trio.actors import ActorRef, SupervisorRef
from aip_trio.endpoints.server._directory import Directory
from aip_trio.endpoints.server._session import TaskFunction

__all__ = ["Hub"]


@attrs.define(eq=False, kw_only=True)
class Hub:
    """The directory, the task function, and the refs by which a server's parts find each other.

    Each part enters its ref when it starts; a ref outlives its actor's restarts.
    """

    directory: Directory
    function: TaskFunction
    #: seconds: the first frame of a connection, the check of a ghost, a device's own answer about itself
    registration_timeout: float
    ghost_timeout: float
    info_timeout: float
    keeper: ActorRef = attrs.field(init=False)
    connections: SupervisorRef = attrs.field(init=False)
    tasks: SupervisorRef = attrs.field(init=False)
