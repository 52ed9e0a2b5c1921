"""An RPC service as a device of a fleet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aip_trio.endpoints.tools import ToolClient, ToolRegistry

__all__ = ["BridgedDevice"]


class BridgedDevice(ToolClient):
    """A `ToolClient` that tells of the service, and nothing of the machine that the bridge runs on."""

    def __init__(
        self,
        client_id: str,
        registry: ToolRegistry,
        tell: Callable[[], Mapping[str, object]],
        *,
        platform: str | None,
        timeout: float,
    ) -> None:
        super().__init__(client_id, registry, platform=platform, timeout=timeout)
        self._tell = tell

    def system_info(self) -> dict[str, Any]:
        """What a registration tells of this device, and what it answers to those who ask."""
        return {
            "device_id": self.client_id,
            "platform": self.platform,
            "supported_features": [each.name for each in self.registry],
            "rpc": dict(self._tell()),
        }
