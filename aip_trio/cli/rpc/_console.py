"""The command ``rpc console``."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TextIO, cast

import trio

from aip_trio.actors import ActorSystem
from aip_trio.cli._shell import Shell
from aip_trio.cli.rpc._options import CommandPort, Host, SubscriberPort, Timeout, Topics, Wait
from aip_trio.errors import InvalidOption

if TYPE_CHECKING:
    from aip_trio.cli.rpc._completion import Completion
    from aip_trio.cli.rpc._lines import Lines
    from aip_trio.cli.rpc._screen import Screen

__all__ = ["console"]


def console(
    shell: Shell,
    topic: Topics = None,
    wait: Wait = False,
    timeout: Timeout = 10.0,
    host: Host = "127.0.0.1",
    subscriber_port: SubscriberPort = 5556,
    command_port: CommandPort = 5557,
) -> int:
    """Talk to a service: type commands, and see its events come in above them.

    On a terminal there are completion with Tab, and a history. Otherwise each line of standard input is a
    command. Without --topic, all is shown but heartbeats.

    Exit status 0: all lines were done, or a user typed them. 1: some line of the input was not done.
    """
    from aip_trio.cli.rpc._completion import Completion
    from aip_trio.cli.rpc._conversation import Conversation
    from aip_trio.cli.rpc._line import WORDS
    from aip_trio.cli.rpc._reach import COMMANDS, Reach
    from aip_trio.cli.rpc._screen import Screen
    from aip_trio.cli.rpc._watching import find_topics, watch_events, watch_presence
    from aip_trio.rpc import RpcClient

    topics = find_topics(topic)
    on_terminal = _on_terminal(shell)
    screen = Screen(shell.output)
    completion = Completion([*COMMANDS, *WORDS], _KEYS)

    async def converse(system: ActorSystem) -> int:
        async with RpcClient(host, subscriber_port, command_port) as client:
            with _lines(on_terminal, screen, completion) as lines:
                conversation = Conversation(Reach(client, timeout, wait), screen, lines, completion)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(watch_presence, client, screen)
                    nursery.start_soon(partial(watch_events, client, topics, screen, heartbeats=bool(topics)))
                    await conversation.run()
                    nursery.cancel_scope.cancel()
        return conversation.failures

    failures = shell.run(converse)
    return 1 if failures and not on_terminal else 0


#: What the device of `aip-trio rpc serve` understands in the data of a USER_DEFINED.
_KEYS = ("fail", "raise", "sleep")


@contextmanager
def _lines(on_terminal: bool, screen: Screen, completion: Completion) -> Generator[Lines]:
    if not on_terminal:
        from aip_trio.cli.rpc._lines import PipedLines

        yield PipedLines()
        return
    from aip_trio.cli.rpc._editor import open_editor
    from aip_trio.cli.rpc._history import history_file

    with open_editor(screen, completion, history_file(os.environ)) as lines:
        yield lines


def _on_terminal(shell: Shell) -> bool:
    """Whether somebody types. Raises InvalidOption where there is nothing to read."""
    stdin = cast("TextIO | None", sys.stdin)
    if stdin is None:  # its number may be that of another file by now
        raise InvalidOption(
            "stdin", "", "is closed: give the commands by a pipe or a file, or use a terminal"
        )
    return shell.output.live and stdin.isatty()
