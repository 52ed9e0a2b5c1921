"""What the actors of a server say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from aip_trio.actors import Request
from aip_trio.messages import TaskStatus

if TYPE_CHECKING:
    from aip_trio.endpoints.server._directory import Client

__all__ = ["Ended", "Joined", "Logged", "Outcome", "QueryInfo", "WindUp"]


@attrs.frozen
class Joined(Request[None]):
    """To the keeper: a client has registered."""

    client: Client


@attrs.frozen
class QueryInfo(Request[Mapping[str, Any]]):
    """To a device's session: ask the device about itself."""


@attrs.frozen
class Logged:
    """To a task: its function has said how it goes."""


@attrs.frozen
class Outcome:
    """How a task ended."""

    status: TaskStatus
    result: Any = None
    error: str | None = None


@attrs.frozen
class Ended:
    """To a task: its function has returned, or its device ended it."""

    outcome: Outcome


@attrs.frozen
class WindUp:
    """To a task: end failed, for this reason."""

    reason: str
