"""A client as auto-trainer-api's users write them, run by the interpreter of its environment.

``python peer_client.py COMMANDS_URL EVENTS_URL`` prints ``ready`` once it has had the first published
message. Then each line of standard input is a list of JSON, and has one line of JSON as its answer: ``["ask",
request]`` (a command by its number, or by the name that auto-trainer-api gives it), ``["send", text]``
(whatever it is), ``["hear", n]`` (so many published messages, heartbeats left out) and ``["beat"]`` (the next
heartbeat).
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import zmq

#: Absent from the environment in which types are checked, and without types in its own.
api: Any = import_module("autotrainer.api")

Socket = zmq.Socket[bytes]

#: Milliseconds to wait for anything.
PATIENCE = 20_000


class Client:
    """One REQ socket and one SUB socket."""

    def __init__(self, commands_url: str, events_url: str) -> None:
        context: zmq.Context[Socket] = zmq.Context()
        self.commands, self.events = context.socket(zmq.REQ), context.socket(zmq.SUB)
        for socket, url in ((self.commands, commands_url), (self.events, events_url)):
            socket.setsockopt(zmq.RCVTIMEO, PATIENCE)
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(url)
        self.events.setsockopt(zmq.SUBSCRIBE, b"")

    def ask(self, request: dict[str, Any]) -> str:
        """As its console does."""
        command = request["command"]
        number = api.ApiCommand[command] if isinstance(command, str) else command
        self.commands.send_json({**request, "command": number})
        return self.commands.recv().decode()

    def send(self, text: str) -> str:
        """Whatever it is."""
        self.commands.send(text.encode())
        return self.commands.recv().decode()

    def hear(self, count: int) -> list[list[str]]:
        """What is published, but for heartbeats."""
        return [self._next(beats=False) for _ in range(count)]

    def beat(self) -> list[str]:
        """The next heartbeat."""
        return self._next(beats=True)

    def _next(self, *, beats: bool) -> list[str]:
        while True:
            topic, payload = self.events.recv_multipart()
            if (int.from_bytes(topic, "little") == api.ApiTopic.HEARTBEAT) is beats:
                return [topic.hex(), payload.decode()]


def main(commands_url: str, events_url: str) -> None:
    """Do as standard input says, to its end."""
    client = Client(commands_url, events_url)
    client.beat()
    say("ready")
    orders: dict[str, Callable[..., object]] = {
        "ask": client.ask,
        "send": client.send,
        "hear": client.hear,
        "beat": client.beat,
    }
    for line in sys.stdin:
        order, *arguments = json.loads(line)
        say(json.dumps(orders[order](*arguments)))


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
