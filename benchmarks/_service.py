"""Services, each in a process of its own: ``python -m benchmarks._service KIND`` prints where, and serves.

All answer commands, and publish as many events as `PUBLISH` says. The first line is a list of JSON: the port
of the commands, and that of the events.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from socket import socket
from typing import Any

import trio
import zmq

from aip_trio.actors import open_system
from aip_trio.rpc import (
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiOptions,
    ApiTopic,
    RpcOptions,
    RpcService,
    create_api_service,
)
from benchmarks._harness import ROOT

Socket = zmq.Socket[bytes]

__all__ = ["EVENT", "HEARTBEAT", "PUBLISH", "event", "service"]

#: The command that has a service publish; its custom command is how many events.
PUBLISH = 99999

#: Topics.
HEARTBEAT, EVENT = 1001, 4001

#: Seconds between heartbeats: whoever waits for the first, to know that it is subscribed, does not wait long.
_BEAT = 0.05

#: What the commands are answered with, and what the events are about.
DATA = {"device_id": "000000", "training_mode": 2, "animal_id": "123456"}


def event(number: int) -> dict[str, object]:
    """An event, as a service is given it."""
    return {"kind": 301, "when": 1_700_000_000.5, "index": number, "context": DATA}


@contextmanager
def service(kind: str) -> Generator[tuple[str, str]]:
    """Run it beside the body: its URLs, of the commands and of the events."""
    command = [sys.executable, "-m", "benchmarks._service", kind]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            commands, events = json.loads(process.stdout.readline())
            yield f"tcp://127.0.0.1:{commands}", f"tcp://127.0.0.1:{events}"
        finally:
            process.kill()


def _say(commands: int, events: int) -> None:
    print(json.dumps([commands, events]), flush=True)


# The limit


def bare(*, frame_by_frame: bool = False) -> None:
    """REP and PUB alone: the same bytes to everybody.

    ``frame_by_frame``: without pyzmq's `send_multipart`, which is written in Python.
    """
    context: zmq.Context[Socket] = zmq.Context()
    commands, events = context.socket(zmq.REP), context.socket(zmq.PUB)
    events.setsockopt(zmq.SNDHWM, 0)
    more = int(zmq.SNDMORE)

    def publish(frames: Sequence[bytes]) -> None:
        if frame_by_frame:
            events.send(frames[0], more)
            events.send(frames[1])
        else:
            events.send_multipart(frames)

    _say(*(each.bind_to_random_port("tcp://127.0.0.1") for each in (commands, events)))
    reply = json.dumps({"nonce": 1, "command": 400, "result": 100, "data": DATA}).encode()
    beat, topic = (number.to_bytes(4, "little") for number in (HEARTBEAT, EVENT))
    payload = json.dumps(event(1_000_000)).encode()
    commands.setsockopt(zmq.RCVTIMEO, round(1000 * _BEAT))
    while True:
        try:
            request = commands.recv()
        except zmq.Again:
            publish([beat, b"{}"])
            continue
        commands.send(reply)
        asked = json.loads(request)
        if asked["command"] == PUBLISH:
            for _ in range(asked["customCommand"]):
                publish([topic, payload])


# The peer


def auto_trainer_api() -> None:
    """The service of auto-trainer-api. It has to be told which ports; a thread of its own publishes."""
    api: Any = import_module("autotrainer.api")

    commands, events = _free_port(), _free_port()
    options = api.create_default_api_options()
    rpc = replace(options.rpc, heartbeat_interval=_BEAT, subscriber_port=events, command_port=commands)
    peer = api.create_api_service(replace(options, rpc=rpc))

    def publish(count: int) -> None:
        for number in range(count):
            peer.send_event_dict(event(number))

    def answer(request: Any) -> Any:
        if request.command == PUBLISH:
            threading.Thread(target=publish, args=[request.custom_command], daemon=True).start()
        return api.ApiCommandRequestResponse(result=api.ApiCommandRequestResult.SUCCESS, data=DATA)

    peer.command_request_delegate = answer
    peer.start()
    _say(commands, events)
    while True:
        time.sleep(60)


def _free_port() -> int:
    with socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port


# Ours


def ours(*, plain: bool = False, raw: bool = False) -> None:
    """Our service; ``plain``: its delegate is no coroutine function. ``raw``: it publishes bytes."""
    asked: trio.MemorySendChannel[int]
    told: trio.MemoryReceiveChannel[int]
    reply = ApiCommandRequestResponse(ApiCommandRequestResult.SUCCESS, data=DATA)
    payload = json.dumps(event(1_000_000)).encode()

    async def answer(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        if request.command == PUBLISH:
            asked.send_nowait(request.custom_command)
        return reply

    def answer_plainly(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        return reply

    async def main() -> None:
        nonlocal asked, told
        asked, told = trio.open_memory_channel[int](1)
        options = RpcOptions(
            subscriber_port=0, command_port=0, heartbeat_interval=_BEAT, send_limit=10_000_000
        )
        service = create_api_service(ApiOptions(rpc=options))
        assert service is not None
        service.command_request_delegate = answer_plainly if plain else answer
        async with open_system():
            await service.start()
            _say(service.command_port, service.subscriber_port)
            async for count in told:
                await _publish(service, count, payload if raw else None)

    trio.run(main)


async def _publish(service: RpcService, count: int, payload: bytes | None) -> None:
    """As fast as it takes them."""

    def taken(number: int) -> bool:
        if payload is not None:
            return service.send(ApiTopic.EVENT, payload)
        return service.send_event(event(number))

    for number in range(count):
        while not taken(number):  # noqa: ASYNC110 - it tells nobody when it has room again
            await trio.sleep(0.001)
        if number % 100 == 0:
            await trio.lowlevel.checkpoint()


KINDS: dict[str, Callable[[], None]] = {
    "bare": bare,
    "bare, frame by frame": partial(bare, frame_by_frame=True),
    "auto-trainer-api": auto_trainer_api,
    "ours": ours,
    "ours, plain": partial(ours, plain=True),
    "ours, raw": partial(ours, raw=True),
}


if __name__ == "__main__":
    KINDS[sys.argv[1]]()
