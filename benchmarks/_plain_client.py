"""The plainest clients of a service: a REQ socket that asks, and a SUB socket that counts; both block."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager

import zmq

from benchmarks._clock import Clock
from benchmarks._harness import Load, Measures
from benchmarks._service import EVENT, HEARTBEAT, PUBLISH, service
from benchmarks._stream import Flow

__all__ = ["ask", "listen"]

Socket = zmq.Socket[bytes]

#: Round trips that only warm up, at the most.
_WARM = 200

#: So many events are received between two looks at the clock.
_BATCH = 50

#: Milliseconds after which what has not come is lost.
_PATIENCE = 20_000


@contextmanager
def _connected(kind: int, url: str) -> Generator[Socket]:
    context: zmq.Context[Socket] = zmq.Context()
    with context.socket(kind) as socket:
        socket.setsockopt(zmq.RCVTIMEO, _PATIENCE)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(url)
        yield socket
    context.term()


def request(command: int, **fields: int) -> bytes:
    """A command, as a REQ client sends it."""
    return json.dumps({"command": command, "nonce": 1, **fields}).encode()


def ask(load: Load, kind: str) -> Measures:
    """One command after another to a service of this kind."""
    clock = Clock()
    asked = request(400)
    with service(kind) as (commands, _), _connected(zmq.REQ, commands) as socket:
        socket.send(asked)
        answered = json.loads(socket.recv())
        assert (answered["nonce"], answered["command"], answered["result"]) == (1, 400, 100), answered
        for _ in range(min(_WARM, load.work // 10)):
            socket.send(asked)
            socket.recv()
        clock.begin()
        for _ in range(load.work):
            socket.send(asked)
            socket.recv()
            clock.tick()
        clock.end()
    return clock.measures()


def listen(load: Load, kind: str) -> Measures:
    """All the events that a service of this kind publishes as fast as it can, to this one subscriber."""
    flow = Flow(load.work)
    with (
        service(kind) as (commands, events),
        _connected(zmq.REQ, commands) as asking,
        _connected(zmq.SUB, events) as socket,
    ):
        for topic in (EVENT, HEARTBEAT):
            socket.setsockopt(zmq.SUBSCRIBE, _frame(topic))
        socket.recv_multipart()  # a heartbeat: so the service knows of both
        socket.setsockopt(zmq.UNSUBSCRIBE, _frame(HEARTBEAT))
        asking.send(request(PUBLISH, customCommand=load.work))
        asking.recv()
        _count(socket, load.work, flow)
    return flow.measures()


def _count(socket: Socket, work: int, flow: Flow) -> None:
    """Until the last has come. What is lost never comes: then it raises `zmq.Again`."""
    topic, left = _frame(EVENT), work
    while left > 0:
        batch = min(_BATCH, left)
        come = 0
        while come < batch:
            come += socket.recv() == topic
            socket.recv()
        left -= come
        flow.came(come)


def _frame(topic: int) -> bytes:
    return topic.to_bytes(4, "little")
