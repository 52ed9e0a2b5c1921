"""What the actors of a server say to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from aip_trio.actors import ActorRef, Request
from aip_trio.endpoints.server._directory import Client
from aip_trio.messages import Command, Result, TaskStatus

__all__ = ["Assign", "Ended", "Execute", "Joined", "Logged", "Outcome", "QueryInfo", "Release", "WindUp"]


@attrs.frozen
class Joined(Request[None]):
    """To the keeper: a client has registered."""

    client: Client


@attrs.frozen
class Assign:
    """To a device's session: this task's results go to that actor."""

    session_id: str
    task: ActorRef


@attrs.frozen
class Release:
    """To a device's session: the task has ended."""

    session_id: str
    task: ActorRef


@attrs.frozen
class QueryInfo(Request[Mapping[str, Any]]):
    """To a device's session: ask the device about itself."""


@attrs.frozen
class Execute(Request[list[Result]]):
    """To a task: have these commands done, in order."""

    commands: Sequence[Command]


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
