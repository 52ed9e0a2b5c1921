"""The clients of a service that is killed: ``python -m soak.kills_clients {JSON}`` takes what `Orders` has.

Each asks one command after another until standard input is closed, and prints a line of JSON when it has
ended (see `soak._kills_verdict.Asked`). The last line is an object: the answers that each client had not
waited for.
"""

from __future__ import annotations

import json
import sys
import time
from random import Random

import attrs
import msgspec
import trio

from aip_trio.actors import open_system
from aip_trio.errors import CommandLost, CommandTimeout, ServiceUnreachable
from aip_trio.rpc import ApiCommand, ApiCommandRequestResult, Reply, RpcClient
from soak._kills_verdict import Asked, Outcome
from soak._stdin import stdin_closed

__all__ = ["Orders", "main"]

#: Seconds: the longest command of most; of those whose end is published; the deadline of who will not wait.
_WORK, _LONG_WORK, _HASTE = 0.01, 0.3, 0.1


@attrs.frozen
class Orders:
    """``patience``: the deadline, in seconds, that a command has to keep whatever is killed."""

    subscriber_port: int
    command_port: int
    clients: int
    patience: float
    seed: int


class Asker:
    """One client."""

    def __init__(self, name: str, orders: Orders) -> None:
        self._name = name
        self._orders = orders
        self._random = Random(f"{orders.seed} {name}")
        self.strays = 0

    async def ask_on(self, over: trio.Event) -> None:
        """One command after another."""
        orders = self._orders
        number = 0
        async with RpcClient("127.0.0.1", orders.subscriber_port, orders.command_port) as client:
            while not over.is_set():
                print(msgspec.json.encode(await self._ask(client, number)).decode(), flush=True)
                number += 1
            self.strays = client.statistics().stray

    async def _ask(self, client: RpcClient, number: int) -> Asked:
        """Most of them quick; some wait for an end that is published, and some have next to no time."""
        haste = self._random.random() < 0.2
        wait = self._random.random() < 0.1
        deadline = _HASTE if haste else self._orders.patience
        seconds = self._random.uniform(0, _LONG_WORK if wait else _WORK)
        command = f"{self._name}.{number}"
        began = time.monotonic()
        told = ""
        try:
            reply = await client.command(
                ApiCommand.USER_DEFINED,
                {"id": command, "seconds": seconds},
                timeout=deadline,
                wait=wait,
            )
        except CommandLost as error:
            outcome, told = Outcome.LOST, str(error)
        except ServiceUnreachable as error:
            outcome, told = Outcome.UNREACHABLE, str(error)
        except CommandTimeout as error:
            outcome, told = Outcome.TIMEOUT, str(error)
        else:
            outcome = Outcome.DONE if _is_answer(reply, command, wait=wait) else Outcome.WRONG
            told = "" if outcome is Outcome.DONE else repr(reply)
        ended = time.monotonic()
        return Asked(self._name, number, deadline, outcome, round(ended - began, 4), ended, told)


def _is_answer(reply: Reply, command: str, *, wait: bool) -> bool:
    if not wait and reply.result == ApiCommandRequestResult.PENDING_WITH_NOTIFICATION:
        return True  # the service is busy: it runs
    return reply.result == ApiCommandRequestResult.SUCCESS and reply.data == {"id": command}


async def main(orders: Orders) -> None:
    """Ask until standard input is closed."""
    askers = {name: Asker(name, orders) for name in (f"client-{n}" for n in range(1, orders.clients + 1))}
    over = trio.Event()
    async with open_system(), trio.open_nursery() as nursery:
        for asker in askers.values():
            nursery.start_soon(asker.ask_on, over)
        await stdin_closed()
        over.set()
    print(json.dumps({"strays": {name: asker.strays for name, asker in askers.items()}}), flush=True)


if __name__ == "__main__":
    trio.run(main, Orders(**json.loads(sys.argv[1])))
