"""Why a command to a device's service has no answer."""

import attrs

from aip_trio.errors._base import AipError
from aip_trio.errors._usage import UsageError

__all__ = ["ClientNotRunning", "CommandFailed", "CommandLost", "CommandTimeout", "ServiceUnreachable"]


@attrs.define(slots=False)
class ClientNotRunning(UsageError, RuntimeError):
    """A call of a client that was not started, or has been stopped."""

    call: str

    def __str__(self) -> str:
        return (
            f"{self.call} of an RpcClient that does not run: `await client.start()` inside a system, or use"
            " it in `async with client:`"
        )


class CommandFailed(AipError):
    """A command got no answer; the client goes on."""


@attrs.define(slots=False)
class CommandTimeout(CommandFailed, TimeoutError):
    """The command was sent, and what was waited for did not come in time; it may have run, or may yet run."""

    command: int
    nonce: int
    awaited: str
    seconds: float

    def __str__(self) -> str:
        return (
            f"command {self.command} (nonce {self.nonce}) was sent, and its {self.awaited} did not come"
            f" within {self.seconds} s: it may or may not have run"
        )


@attrs.define(slots=False)
class CommandLost(CommandFailed, ConnectionError):
    """The connection broke after the command was sent and before its answer came."""

    command: int
    nonce: int
    awaited: str
    url: str

    def __str__(self) -> str:
        return (
            f"the connection to {self.url} broke while the {self.awaited} of command {self.command} (nonce"
            f" {self.nonce}) was awaited: it may or may not have run"
        )


@attrs.define(slots=False)
class ServiceUnreachable(CommandFailed, ConnectionError):
    """There was no connection in time; the command was not sent, and never will be."""

    url: str
    seconds: float
    reason: str

    def __str__(self) -> str:
        return f"no service at {self.url} within {self.seconds} s, and nothing was sent to it: {self.reason}"
