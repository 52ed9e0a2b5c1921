"""What an orchestrator knows of a device before it connects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

__all__ = ["AgentProfile"]


@attrs.define(kw_only=True)
class AgentProfile:
    """A device: where its server is, what it can do, and how it is.

    The endpoint keeps ``status`` ("disconnected", "connecting", "connected", "failed"),
    ``last_heartbeat``, ``connection_attempts`` and ``current_task_id`` up to date. ``max_retries``:
    attempts to connect again in a row; None is for ever.
    """

    device_id: str
    server_url: str
    os: str | None = None
    capabilities: Sequence[str] = ()
    metadata: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    status: str = "disconnected"
    last_heartbeat: datetime | None = None
    connection_attempts: int = 0
    max_retries: int | None = 5
    current_task_id: str | None = None
