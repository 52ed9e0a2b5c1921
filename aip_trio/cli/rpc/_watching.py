"""Showing what a service publishes, and whether it is there, as it happens."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

import trio

from aip_trio.actors import current_environment
from aip_trio.cli.rpc._names import find
from aip_trio.cli.rpc._screen import Screen
from aip_trio.cli.rpc._telling import presence_data, presence_line, told_data, told_line
from aip_trio.errors import InvalidOption
from aip_trio.rpc import ApiTopic, Heartbeat, Published, RpcClient

__all__ = ["explain_silence", "find_topics", "watch_events", "watch_presence"]

logger = logging.getLogger("aip_trio.cli")

_TOPICS: Mapping[str, int] = {topic.name: int(topic) for topic in ApiTopic}

#: Seconds without both connections, after which that is said.
_PATIENCE = 2.0

#: A topic is 4 bytes.
_MOST = 2**32 - 1


def find_topics(texts: Iterable[str] | None) -> list[int]:
    """The topics that the options name; none: every topic. Raises InvalidOption."""
    topics = [find("topic", text, _TOPICS) for text in texts or ()]
    for topic in topics:
        if not 0 <= topic <= _MOST:
            raise InvalidOption("topic", topic, f"has no 4 bytes: give a name, or a number from 0 to {_MOST}")
    return topics


async def watch_events(
    client: RpcClient,
    topics: Iterable[int],
    screen: Screen,
    *,
    heartbeats: bool = True,
    count: int | None = None,
) -> None:
    """Show each event of these topics, or of all; for ever, or so many. A checkpoint.

    ``heartbeats``: False leaves them out. What is lost is shown, and not counted.
    """
    async with client.subscribe(*topics, wait_connected=False) as events:
        shown = 0
        async for event in events:
            if not heartbeats and isinstance(event, Heartbeat):
                continue
            screen.show(told_data(event), [told_line(event, _now())])
            shown += isinstance(event, Published)
            if shown == count:
                return


async def explain_silence(client: RpcClient) -> None:
    """Say where a service is looked for, if there is no connection soon. A checkpoint."""
    with trio.move_on_after(_PATIENCE):
        await client.ready()
        return
    logger.warning("no service at %s (events) and %s (commands) yet: waiting for one", *client.urls)


async def watch_presence(client: RpcClient, screen: Screen) -> None:
    """Show whether the service is there, and each change, for ever. A checkpoint."""
    async with client.presence_changes() as changes:
        async for presence in changes:
            screen.show(presence_data(presence), [presence_line(presence, _now())])


def _now() -> datetime:
    """In the zone of who reads it."""
    return current_environment().now().astimezone()
