"""Where seed 000 imports `AIPEndpoint` from; the rest of this package is `aip_trio.endpoints` itself."""

from aip_trio.endpoints._base import AIPEndpoint

__all__ = ["AIPEndpoint"]
