"""An orchestrator of the soak, a program of its own: streams of tasks, one after another in each.

``python -m soak.orchestrator {JSON}`` takes what `Orders` has. It prints a line of JSON for each task that
has ended, and for nothing else: see `soak._verdict.Ended`.
"""

from __future__ import annotations

import json
import sys
from random import Random

import attrs
import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, TaskRequest
from aip_trio.errors import DeviceNotConnected, OperationTimeout
from aip_trio.resilience import ReconnectionStrategy
from soak._stdin import stdin_closed
from soak._verdict import Ended

__all__ = ["Orders", "main"]

#: Seconds: the longest command; after an attempt that failed.
_WORK, _PAUSE = 0.02, 0.1


@attrs.frozen(kw_only=True)
class Orders:
    """``seconds``: how long new tasks are given. ``patience``: seconds that one may take.

    ``retry``: whether a task that fails is given again, in the same session, as links of version 1 need it.
    """

    name: str
    url: str
    devices: list[str]
    streams: int
    commands: int
    seconds: float
    patience: float
    retry: bool
    seed: int


async def _stream(endpoint: ConstellationEndpoint, orders: Orders, device: str, number: int) -> None:
    """Tasks for one device, one after another, until the time is over."""
    name = f"{orders.name}.{device}.{number}"
    random = Random(f"{orders.seed} {name}")
    over = trio.current_time() + orders.seconds
    task = 0
    while trio.current_time() < over:
        count = random.randint(1, 2 * orders.commands - 1)
        began = trio.current_time()
        attempt = 1
        work = [random.uniform(0, _WORK) for _ in range(count)]
        while True:
            error, results = await _attempt(endpoint, orders, device, _request(name, task, attempt, work))
            if error is None:
                break
            await trio.sleep(_PAUSE)
            if not orders.retry or trio.current_time() > began + orders.patience:
                break
            attempt += 1
        seconds = trio.current_time() - began
        ended = Ended(name, task, attempt, count, error, results, round(seconds, 4))
        print(json.dumps(attrs.asdict(ended)), flush=True)
        task += 1


def _request(stream: str, task: int, attempt: int, work: list[float]) -> TaskRequest:
    commands = [
        {
            "tool_name": "journal",
            "parameters": {
                "stream": stream,
                "task": task,
                "attempt": attempt,
                "number": number,
                "seconds": seconds,
            },
        }
        for number, seconds in enumerate(work)
    ]
    return TaskRequest(task_id=f"{stream}.{task}", request="soak", metadata={"commands": commands})


async def _attempt(
    endpoint: ConstellationEndpoint, orders: Orders, device: str, request: TaskRequest
) -> tuple[str | None, list[object]]:
    """Why it failed, or None; and what its commands returned, as far as it is told."""
    try:
        with trio.fail_after(orders.patience):
            end = await endpoint.send_task_to_device(device, request)
    except (DeviceNotConnected, OperationTimeout, trio.TooSlowError) as error:
        return f"{type(error).__name__}: {error}", []
    listed: list[dict[str, object]] = end.result or []
    return None if end.completed else end.error or "no reason given", [each["result"] for each in listed]


async def _give_tasks(endpoint: ConstellationEndpoint, orders: Orders, over: trio.CancelScope) -> None:
    async with trio.open_nursery() as nursery:
        for device in orders.devices:
            await endpoint.connect_to_device(AgentProfile(device_id=device, server_url=orders.url))
            for number in range(orders.streams):
                nursery.start_soon(_stream, endpoint, orders, device, number)
    over.cancel()


async def main(orders: Orders) -> None:
    """Give tasks for as long as the orders say, and return when the last has ended.

    Or when standard input is closed.
    """
    strategy = ReconnectionStrategy(None, initial_backoff=0.05, max_backoff=1.0, jitter=True, reset_after=1.0)
    async with open_system():
        endpoint = ConstellationEndpoint(
            orders.name, reconnection_strategy=strategy, heartbeat_interval=5.0, timeout=10.0
        )
        await endpoint.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_give_tasks, endpoint, orders, nursery.cancel_scope)
            await stdin_closed()
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, Orders(**json.loads(sys.argv[1])))
