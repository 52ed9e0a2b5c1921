"""An orchestrator's side: gives tasks to devices, over one connection for each."""

from aip_trio.endpoints.constellation._endpoint import ConstellationEndpoint

__all__ = ["ConstellationEndpoint"]
