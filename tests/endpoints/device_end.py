"""A device of ours at a plain server, over real sockets."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import trio

from aip_trio.endpoints import ClientState, DeviceClientEndpoint
from tests.endpoints.peer import Frame, Peer, PlainServer
from tests.endpoints.support import Worker, patient, quick

__all__ = ["commands", "connected", "state"]


def commands(session_id: str, *tools: str, response_id: str = "r1") -> Frame:
    """What a server sends of commands."""
    actions = [{"tool_name": tool, "tool_type": "action", "call_id": tool} for tool in tools]
    return {"session_id": session_id, "response_id": response_id, "actions": actions}


def state(endpoint: DeviceClientEndpoint) -> ClientState:
    """Where it stands."""
    return endpoint.lifecycle.state


@asynccontextmanager
async def connected(
    worker: Worker | None = None, **options: Any
) -> AsyncGenerator[tuple[DeviceClientEndpoint, Peer, PlainServer]]:
    """A device that has registered at a plain server, and the server's side of it."""
    async with patient() as system, PlainServer.open() as plain:
        options.setdefault("reconnection_strategy", quick())
        endpoint = DeviceClientEndpoint(plain.url, worker or Worker(), **options)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            server, _ = await plain.registered()
        yield endpoint, server, plain
        await endpoint.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]
