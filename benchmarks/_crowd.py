"""Many devices in one process: ``python -m benchmarks._crowd PORT DEVICES`` holds them until it is killed.

Each is a socket and a few bytes, so that two processors suffice for them and for the server that is measured.
It says on its standard output when all are registered; each line that it then reads, ``BEATS RATE``, has it
send so many heartbeats, so many in a second, and say how long the answers took.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO

from aip_trio.messages import ClientType, Heartbeat, Register, widen_client
from benchmarks._harness import ROOT, Measures

__all__ = ["Crowd", "crowd"]

_REQUEST = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
#: Seconds for one device to get in, and for the last answers.
_PATIENCE = 30.0
#: Seconds without a heartbeat, while others still come in; and heartbeats in a second then.
_QUIET, _HASTE = 10.0, 1000.0


class Device:
    """A registered client that knows no more of WebSocket than it has to."""

    def __init__(self, port: int, name: str) -> None:
        self._received = b""
        self._sent: deque[float] = deque()
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(_REQUEST.format(port=port).encode())
        while b"\r\n\r\n" not in self._received:
            self._received += self._more()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        assert b" 101 " in head.partition(b"\r\n")[0], head
        register = Register(name, metadata={"platform": "linux"})
        wide = widen_client(
            register, timestamp="2024-11-04T10:30:00Z", client_id=name, client_type=ClientType.DEVICE
        )
        self.socket.sendall(_frame(wide.model_dump_json().encode()))
        while not self._texts():
            self._received += self._more()
        beat = widen_client(
            Heartbeat(), timestamp="2024-11-04T10:30:00Z", client_id=name, client_type=ClientType.DEVICE
        )
        self._beat = _frame(beat.model_dump_json().encode())
        self.socket.setblocking(False)

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        assert data, "the server has closed the connection"
        return data

    def _texts(self) -> int:
        """How many texts have come; pings are answered by the next heartbeat."""
        texts = 0
        while len(self._received) >= 2:
            length, start = self._received[1], 2
            if length == 126:
                length, start = int.from_bytes(self._received[2:4]), 4
            if len(self._received) < start + length:
                break
            texts += self._received[0] & 0x0F == 1
            self._received = self._received[start + length :]
        return texts

    def beat(self) -> None:
        """Send a heartbeat."""
        self._sent.append(time.perf_counter())
        self.socket.sendall(self._beat)

    def answers(self) -> list[float]:
        """What has come: how long each answer took, in milliseconds."""
        self._received += self._more()
        now = time.perf_counter()
        return [(now - self._sent.popleft()) * 1e3 for _ in range(self._texts()) if self._sent]


def _frame(text: bytes) -> bytes:
    """A text frame whose mask, of zeros, changes nothing."""
    assert 125 < len(text) < 65536
    return b"\x81\xfe" + len(text).to_bytes(2) + bytes(4) + text


def _beats(devices: list[Device], poll: selectors.BaseSelector, beats: int, rate: float) -> list[float]:
    """So many heartbeats, one device after another, at this rate: how long the answers took."""
    taken: list[float] = []
    began = time.perf_counter()
    sent = 0
    while len(taken) < beats:
        now = time.perf_counter()
        while sent < min(beats, int((now - began) * rate) + 1):
            devices[sent % len(devices)].beat()
            sent += 1
        due = began + sent / rate if sent < beats else now + _PATIENCE
        ready = poll.select(max(0.0, due - time.perf_counter()))
        assert ready or sent < beats, "the server does not answer"
        for key, _ in ready:
            device: Device = key.data
            taken += device.answers()
    return taken


def _main(port: int, number: int) -> None:
    poll = selectors.DefaultSelector()
    devices: list[Device] = []
    registering, beaten = 0.0, time.perf_counter()
    for index in range(number):
        began = time.perf_counter()
        device = Device(port, f"crowd-{os.getpid()}-{index}")
        now = time.perf_counter()
        registering += now - began
        devices.append(device)
        poll.register(device.socket, selectors.EVENT_READ, device)
        if now > beaten + _QUIET:  # or the first would count as gone before the last has come
            _beats(devices, poll, len(devices), _HASTE)
            beaten = time.perf_counter()
    _say({"register": number / registering})
    for line in sys.stdin:
        beats, rate = line.split()
        taken = sorted(_beats(devices, poll, int(beats), float(rate)))
        at = {name: taken[int(len(taken) * part)] for name, part in (("p50", 0.5), ("p99", 0.99))}
        _say({**at, "worst": taken[-1]})


def _say(measures: Measures) -> None:
    print(json.dumps(measures), flush=True)


class Crowd:
    """That process, from outside."""

    def __init__(self, into: IO[str], out: IO[str]) -> None:
        self._into = into
        self._out = out

    def registered(self) -> Measures:
        """Wait until all are: ``register``, so many in a second. Blocks."""
        return self._said()

    def beat(self, beats: int, rate: float) -> Measures:
        """Have it send heartbeats: ``p50``, ``p99`` and ``worst``, in milliseconds. Blocks."""
        print(beats, rate, file=self._into, flush=True)
        return self._said()

    def _said(self) -> Measures:
        line = self._out.readline()
        assert line, "the crowd has ended"
        measures: Measures = json.loads(line)
        return measures


@contextmanager
def crowd(port: int, devices: int) -> Generator[Crowd]:
    """Run it beside the body."""
    command = [sys.executable, "-m", "benchmarks._crowd", str(port), str(devices)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Crowd(process.stdin, process.stdout)
        finally:
            process.kill()


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
