"""The device as a process, and a peer that speaks to it with pyzmq alone."""

import json
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs
import zmq

from tests.cli.programs import PATIENCE, first_line, running

__all__ = ["Device", "Peer", "peer_of", "serving"]

_READY = re.compile(
    r"listening on (tcp://127\.0\.0\.1:(\d+)) \(events\) (tcp://127\.0\.0\.1:(\d+)) \(commands\)"
)


@attrs.frozen
class Device:
    """A device that listens."""

    process: "subprocess.Popen[str]"
    events: str
    commands: str

    @property
    def ports(self) -> list[str]:
        """The options that lead to it."""
        events, commands = (url.rpartition(":")[2] for url in (self.events, self.commands))
        return ["--subscriber-port", events, "--command-port", commands]


#: Nothing but what sleeps is pending, however busy the machine is.
_PATIENT = ("--pending-after", "0.7")


@contextmanager
def serving(*options: str) -> Generator[Device]:
    """A device on ports of its own, unless options say otherwise; what takes longer than 0.7 s is pending."""
    ports = [] if "--command-port" in options else ["--subscriber-port", "0", "--command-port", "0"]
    with running("rpc", "serve", *ports, *_PATIENT, *options) as process:
        ready = _READY.fullmatch(first_line(process))
        assert ready
        yield Device(process, ready[1], ready[3])


class Peer:
    """A REQ and a SUB socket, as those of auto-trainer-api have them."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", device: Device) -> None:
        self._requests = context.socket(zmq.REQ)
        self._events = context.socket(zmq.SUB)
        for socket, url in ((self._requests, device.commands), (self._events, device.events)):
            socket.setsockopt(zmq.RCVTIMEO, int(PATIENCE * 1000))
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(url)
        self._events.subscribe(b"")

    def ask(self, command: int, **fields: object) -> dict[str, Any]:
        """Send a command, and return its reply."""
        self._requests.send_json({"command": command, "nonce": 7, **fields})
        found: dict[str, Any] = json.loads(self._requests.recv())
        return found

    def next(self) -> tuple[int, dict[str, Any]]:
        """The next event: its topic, and what it says."""
        topic, payload = self._events.recv_multipart()
        return int.from_bytes(topic, "little"), json.loads(payload)

    def until(self, topic: int) -> list[tuple[int, dict[str, Any]]]:
        """The events as far as one of this topic, without heartbeats before it."""
        found: list[tuple[int, dict[str, Any]]] = []
        while not found or found[-1][0] != topic:
            event = self.next()
            if event[0] in (topic, 2001, 4001, 5001, 6001):
                found.append(event)
        return found


@contextmanager
def peer_of(device: Device) -> Generator[Peer]:
    """A peer that hears its events: it has heard a heartbeat."""
    with zmq.Context() as context:
        peer = Peer(context, device)
        try:
            peer.until(1001)
            yield peer
        finally:
            context.destroy(linger=0)
