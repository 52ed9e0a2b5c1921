"""The command ``rpc watch``."""

from __future__ import annotations

from typing import Annotated

import trio
import typer

from aip_trio.actors import ActorSystem
from aip_trio.cli._shell import Shell
from aip_trio.cli.rpc._options import CommandPort, Host, SubscriberPort, Topics

__all__ = ["watch"]


def watch(
    shell: Shell,
    topic: Topics = None,
    count: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="End after so many events.")
    ] = None,
    host: Host = "127.0.0.1",
    subscriber_port: SubscriberPort = 5556,
    command_port: CommandPort = 5557,
) -> int:
    """Show the events of a service as they come, one on a line, and whether the service is there.

    Where events were lost on the way, that is shown, too; a service that keeps some is asked for them. It
    goes on until --count is reached, or a signal ends it.
    """
    from aip_trio.cli.rpc._screen import Screen
    from aip_trio.cli.rpc._watching import explain_silence, find_topics, watch_events, watch_presence
    from aip_trio.rpc import RpcClient

    topics = find_topics(topic)

    async def look(system: ActorSystem) -> None:
        screen = Screen(shell.output)
        async with RpcClient(host, subscriber_port, command_port) as client:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watch_presence, client, screen)
                nursery.start_soon(explain_silence, client)
                await watch_events(client, topics, screen, count=count)
                nursery.cancel_scope.cancel()

    shell.run(look)
    return 0
