"""A client of AIP written from the wire's description alone: websockets, json, and nothing of ours.

Whoever holds one end of an AIP connection could have written it so.
"""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeAlias

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

__all__ = ["Closed", "Frame", "Plain", "listed", "registered"]

#: A message: one JSON object.
Frame: TypeAlias = dict[str, Any]

_PATIENCE = 15.0


class Closed(Exception):
    """The other end has closed the connection; ``code`` is 1006 where it did so without a word."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Plain:
    """One connection of a client that has an id. It answers pings, as every WebSocket does."""

    def __init__(self, websocket: ClientConnection, client_id: str, client_type: str) -> None:
        self.websocket = websocket
        self.client_id = client_id
        self.client_type = client_type

    @classmethod
    @contextmanager
    def open(cls, url: str, client_id: str = "", client_type: str = "device") -> Generator["Plain"]:
        """Connect, and register nobody yet."""
        with connect(url, open_timeout=_PATIENCE, close_timeout=5, max_size=None) as websocket:
            yield cls(websocket, client_id, client_type)

    def send(self, data: str | bytes) -> None:
        """One frame as it is: text, or binary. Raises Closed."""
        try:
            self.websocket.send(data)
        except ConnectionClosed as end:
            raise _closed(end) from None

    def say(self, kind: str, status: str = "ok", **fields: Any) -> None:
        """One message of this client."""
        who = {"client_id": self.client_id, "client_type": self.client_type}
        self.send(json.dumps({"type": kind, "status": status, **who, **fields}))

    def hear(self, timeout: float = _PATIENCE) -> Frame:
        """The next message. Raises Closed, and TimeoutError after so many seconds."""
        try:
            frame = self.websocket.recv(timeout)
        except ConnectionClosed as end:
            raise _closed(end) from None
        assert isinstance(frame, str), "AIP's messages are text frames"
        message: Frame = json.loads(frame)
        assert isinstance(message, dict)
        return message

    def expect(self, kind: str, timeout: float = _PATIENCE) -> Frame:
        """The next message, which is of this type."""
        message = self.hear(timeout)
        assert message["type"] == kind, message
        return message

    def register(self, **fields: Any) -> Frame:
        """Register, and return the server's answer, whatever it is."""
        self.say("register", **fields)
        return self.hear()

    def beat(self) -> None:
        """One heartbeat, and its answer: the connection is alive, and nothing else was on its way."""
        self.say("heartbeat")
        answer = self.expect("heartbeat")
        assert answer["status"] == "ok"

    def refused(self, timeout: float = _PATIENCE) -> str:
        """The reason of a refusal, after which the server closes."""
        message = self.expect("error", timeout)
        assert message["status"] == "error"
        try:
            self.hear()
        except Closed:
            return str(message["error"])
        raise AssertionError("the server goes on with whom it has refused")

    def silent(self, seconds: float = 0.2) -> None:
        """Nothing comes for so long. Fails with what does."""
        try:
            message = self.hear(seconds)
        except TimeoutError:
            return
        raise AssertionError(message)

    def gone(self, within: float = _PATIENCE) -> Closed:
        """How the other end closes, within so many seconds; what it says before is passed over."""
        end = time.monotonic() + within
        try:
            while True:
                self.hear(end - time.monotonic())
        except Closed as closed:
            return closed


@contextmanager
def registered(url: str, client_id: str, client_type: str = "device", **fields: Any) -> Generator[Plain]:
    """A client that a server has accepted."""
    with Plain.open(url, client_id, client_type) as client:
        answer = client.register(**fields)
        assert (answer["type"], answer["status"]) == ("heartbeat", "ok"), answer
        assert answer["response_id"]
        yield client


def listed(*commands: tuple[str, dict[str, Any]]) -> Frame:
    """The metadata of a task that lists these commands: what the server does unless it is given better."""
    return {"commands": [{"tool_name": tool, "parameters": parameters} for tool, parameters in commands]}


def _closed(end: ConnectionClosed) -> Closed:
    return Closed(1006, "") if end.rcvd is None else Closed(end.rcvd.code, end.rcvd.reason)
