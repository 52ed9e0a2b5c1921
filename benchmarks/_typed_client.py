"""Our client of a service, as a program has it: typed answers, and typed events."""

from __future__ import annotations

import trio

from aip_trio.actors import open_system
from aip_trio.rpc import ApiCommand, ApiCommandRequestResult, ApiTopic, Event, RpcClient
from benchmarks._clock import Clock
from benchmarks._harness import Load, Measures
from benchmarks._service import service
from benchmarks._stream import Flow

__all__ = ["ask_typed", "listen_typed"]

#: Round trips that only warm up, at the most.
_WARM = 200


def _client(commands: str, events: str) -> RpcClient:
    """Where both are on this machine."""
    ports = [int(url.rpartition(":")[2]) for url in (events, commands)]
    return RpcClient("127.0.0.1", *ports, timeout=30.0)


def ask_typed(load: Load, kind: str) -> Measures:
    """One command after another to a service of this kind."""
    clock = Clock()

    async def main() -> None:
        with service(kind) as urls:
            async with open_system(), _client(*urls) as client:
                reply = await client.command(ApiCommand.GET_STATUS)
                assert reply.result == ApiCommandRequestResult.SUCCESS, reply
                for _ in range(min(_WARM, load.work // 10)):
                    await client.command(ApiCommand.GET_STATUS)
                clock.begin()
                for _ in range(load.work):
                    await client.command(ApiCommand.GET_STATUS)
                    clock.tick()
                clock.end()

    trio.run(main)
    return clock.measures()


def listen_typed(load: Load, kind: str) -> Measures:
    """All the events that a service of this kind publishes as fast as it can."""
    flow = Flow(load.work)

    async def main() -> None:
        with service(kind) as urls:
            async with open_system(), _client(*urls) as client, client.subscribe(ApiTopic.EVENT) as events:
                await events.confirmed()
                await client.command(ApiCommand.USER_DEFINED, custom_command=load.work)
                async for event in events:
                    if type(event) is Event and flow.came(1):
                        break

    trio.run(main)
    return flow.measures()
