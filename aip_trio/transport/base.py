"""Where seed 001 imports `Transport` from; the rest of this package is `aip_trio.transport` itself."""

from aip_trio.transport._transport import Transport

__all__ = ["Transport"]
