"""Events and commands over ZeroMQ that went wrong."""

import attrs

from aip_trio.errors._usage import UsageError

__all__ = ["RpcServiceStopped"]


@attrs.define(slots=False)
class RpcServiceStopped(UsageError, RuntimeError):
    """A service that has stopped was started again."""

    identifier: str

    def __str__(self) -> str:
        return (
            f"the RPC service {self.identifier!r} has stopped, and does not start again:"
            " make a new one with create_api_service()"
        )
