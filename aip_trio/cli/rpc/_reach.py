"""Having a service do something, and saying in words of the command line why it has not."""

import logging
from collections.abc import Mapping

import attrs
import trio

from aip_trio.cli._errors import CannotBegin, OutcomeUnknown
from aip_trio.cli.rpc._answer import Answer
from aip_trio.cli.rpc._errand import Errand
from aip_trio.errors import CommandFailed, EncodeError, ServiceUnreachable
from aip_trio.rpc import ApiCommand, Reply, RpcClient

__all__ = ["COMMANDS", "Reach"]

logger = logging.getLogger("aip_trio.cli")

#: Seconds without a connection, after which that is said.
_PATIENCE = 1.0

#: The number of each command that has a name.
COMMANDS: Mapping[str, int] = {command.name: int(command) for command in ApiCommand}

_ADVICE = "start one with `aip-trio rpc serve`, or give --host and --{}-port of one that runs"


@attrs.frozen
class Reach:
    """A service. ``timeout``: seconds for each answer; ``wait``: for the end of what is pending, too."""

    client: RpcClient
    timeout: float
    wait: bool = False

    async def perform(self, errand: Errand) -> Answer:
        """Send a command, and wait for its answer. A checkpoint.

        Raises CannotBegin where it was not sent, OutcomeUnknown where it was, and no answer came; EncodeError
        for data that have no form on the wire.
        """
        began = trio.current_time()
        failure: CommandFailed | EncodeError | None = None
        reply: Reply | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._explain)
            try:
                reply = await self.client.command(
                    errand.command,
                    errand.data,
                    custom_command=errand.custom,
                    timeout=self.timeout,
                    wait=self.wait,
                )
            except (CommandFailed, EncodeError) as error:
                failure = error
            nursery.cancel_scope.cancel()
        if reply is not None:
            return Answer(reply, trio.current_time() - began)
        if isinstance(failure, EncodeError):
            raise failure
        if isinstance(failure, ServiceUnreachable):
            wrong = "command" if failure.url == self.client.urls[1] else "subscriber"
            raise CannotBegin(f"{failure}: {_ADVICE.format(wrong)}") from failure
        raise OutcomeUnknown(str(failure)) from failure

    async def _explain(self) -> None:
        """Say what is waited for, where it takes long: somebody sits there."""
        await trio.sleep(_PATIENCE)
        if not self.client.statistics().connections:
            logger.warning("no service at %s yet: waiting for one", self.client.urls[1])
