"""The peers' environments, and the programs that run in them."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import attrs

__all__ = [
    "VARIABLE",
    "VERSIONS",
    "Dialogue",
    "Peer",
    "PeerService",
    "client",
    "dialogue",
    "free_ports",
    "our_service",
    "service",
]

#: The environment's word for the folder that has an environment for each version: see the session ``peers``.
VARIABLE = "AUTO_TRAINER_PEERS"

VERSIONS = ("0.9.7", "0.12.0")

_HERE = Path(__file__).parent


@attrs.frozen
class Peer:
    """A version of auto-trainer-api, as PyPI has it, and the interpreter of its environment."""

    version: str
    python: Path

    @classmethod
    def found(cls, version: str) -> "Peer":
        """The one that the session ``peers`` has installed. Fails where it is another."""
        peer = cls(version, Path(os.environ[VARIABLE], version, "bin", "python"))
        code = "from importlib.metadata import version; print(version('auto-trainer-api'))"
        told = subprocess.run([peer.python, "-c", code], capture_output=True, text=True, check=True)
        assert told.stdout.strip() == version
        return peer

    def run(self, script: str, *arguments: str) -> AbstractContextManager["Dialogue"]:
        """One of the scripts beside this file."""
        return dialogue(str(self.python), str(_HERE / script), *arguments)


@attrs.frozen
class Dialogue:
    """A program that is talked with line by line."""

    process: subprocess.Popen[str]

    def say(self, *order: object) -> None:
        """A list of JSON."""
        self._write(order)

    def hear(self) -> str:
        """Its next line. Fails with what it says on stderr where it ends instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return line.rstrip("\n")

    def ask(self, *order: object) -> Any:
        """Its answer to an order."""
        self.say(*order)
        return json.loads(self.hear())

    def publish(self, event: Mapping[str, object]) -> None:
        """Of a service: an event."""
        self._write(event)

    def _write(self, value: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value) + "\n")
        self.process.stdin.flush()


@attrs.frozen
class PeerService:
    """A service of auto-trainer-api, and where it listens."""

    peer: Peer
    dialogue: Dialogue
    events_port: int
    commands_port: int

    @property
    def options(self) -> tuple[str, ...]:
        """How ``aip-trio rpc`` is told where it is."""
        return ("--subscriber-port", str(self.events_port), "--command-port", str(self.commands_port))


@contextmanager
def dialogue(*command: str) -> Generator[Dialogue]:
    """A program, killed at the end."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_HERE.parents[1],
    ) as process:
        try:
            yield Dialogue(process)
        finally:
            process.kill()


@contextmanager
def service(
    peer: Peer, ports: tuple[int, int] | None = None, interval: float = 0.2
) -> Generator[PeerService]:
    """Its service, in a process. The peer cannot be told to pick ports, so that here free ones are."""
    events, commands = ports or free_ports()
    with peer.run("peer_service.py", str(events), str(commands), str(interval)) as talk:
        assert talk.hear() == "ready"
        yield PeerService(peer, talk, events, commands)


@contextmanager
def client(peer: Peer, commands_url: str, events_url: str) -> Generator[Dialogue]:
    """Its client, subscribed and connected."""
    with peer.run("peer_client.py", commands_url, events_url) as talk:
        assert talk.hear() == "ready"
        yield talk


@contextmanager
def our_service(**options: object) -> Generator[tuple[Dialogue, str, str]]:
    """Ours, in a process: it, and the URLs of its commands and of its events."""
    with dialogue(sys.executable, "-m", "tests.peers.our_service", json.dumps(options)) as talk:
        commands_url, events_url = json.loads(talk.hear())
        yield talk, commands_url, events_url


def free_ports() -> tuple[int, int]:
    """Two that nobody listens at."""
    with socket() as one, socket() as other:
        for bound in (one, other):
            bound.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
