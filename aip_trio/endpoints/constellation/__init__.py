"""An orchestrator's side: gives tasks to devices, over one connection for each."""

from aip_trio.endpoints.constellation._endpoint import ConstellationEndpoint, MessageProcessor

__all__ = ["ConstellationEndpoint", "MessageProcessor"]
