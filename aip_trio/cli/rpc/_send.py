"""The command ``rpc send``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aip_trio.actors import ActorSystem
from aip_trio.cli._shell import Shell
from aip_trio.cli.rpc._data import read_data
from aip_trio.cli.rpc._errand import Errand
from aip_trio.cli.rpc._names import find
from aip_trio.cli.rpc._options import CommandPort, Host, SubscriberPort, Timeout, Wait

if TYPE_CHECKING:
    from aip_trio.cli.rpc._answer import Answer

__all__ = ["send"]


def send(
    shell: Shell,
    command: Annotated[
        str,
        typer.Argument(metavar="COMMAND", help="A number, a name such as GET_STATUS, or enough of it."),
    ],
    data: Annotated[
        str | None,
        typer.Option(metavar="JSON|@FILE|-", help="The command's data; a file that holds them, or stdin."),
    ] = None,
    custom: Annotated[
        int, typer.Option(metavar="NUMBER", help="Which of the commands that are USER_DEFINED.")
    ] = -1,
    wait: Wait = False,
    timeout: Timeout = 10.0,
    host: Host = "127.0.0.1",
    subscriber_port: SubscriberPort = 5556,
    command_port: CommandPort = 5557,
) -> int:
    """Send one command to a service, and print what it answers.

    Exit status 0: it is done, or being done. 1: the service's answer is no. 2: it was not sent. 3: it was,
    and nobody knows what became of it.
    """
    from aip_trio.cli.rpc._reach import COMMANDS, Reach
    from aip_trio.rpc import RpcClient

    errand = Errand(find("command", command, COMMANDS), custom, read_data(data))

    async def perform(system: ActorSystem) -> Answer:
        async with RpcClient(host, subscriber_port, command_port) as client:
            return await Reach(client, timeout, wait).perform(errand)

    answer = shell.run(perform)
    shell.output.result(answer.data(), answer.picture, answer.lines())
    return 0 if answer.good else 1
