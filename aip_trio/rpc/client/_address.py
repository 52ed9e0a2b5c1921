"""Where a service is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc._wire import encode_topic
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

if TYPE_CHECKING:
    from aip_trio.transport.zeromq import CurveClient

__all__ = ["Address"]

#: Seconds after which a connection that says nothing counts as broken, and between two questions.
_SILENCE, _QUESTION = 15.0, 5.0

#: Bytes of the largest message that is taken.
_LARGEST = 64 * 1024 * 1024

#: Messages that wait in a socket, unless said otherwise.
_QUEUE = 10_000

_HEARTBEAT = int(ApiTopic.HEARTBEAT)


@attrs.frozen
class Address:
    """A service's two sockets, and how to reach them."""

    host: str
    subscriber_port: int
    command_port: int
    curve: CurveClient | None = attrs.field(default=None, repr=False)

    @property
    def events_url(self) -> str:
        """Where it publishes."""
        return self._url(self.subscriber_port)

    @property
    def commands_url(self) -> str:
        """Where it takes commands."""
        return self._url(self.command_port)

    def _url(self, port: int) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{port}"

    def commands(self) -> ZeroMQSocket:
        """A socket for one connection to the commands: nothing waits in it for a connection to come."""
        # Immediate: a command goes out over a connection that there is, or not at all. Were it kept for the
        # next one, a service that was started again would be given what its predecessor's client asked for.
        return ZeroMQSocket(
            Kind.DEALER,
            send_limit=_QUEUE,
            receive_limit=_QUEUE,
            max_size=_LARGEST,
            linger=0.0,
            heartbeat=_QUESTION,
            heartbeat_timeout=_SILENCE,
            immediate=True,
            curve=self.curve,
        )

    def events(self, topics: Iterable[int] | None, queue: int = _QUEUE) -> ZeroMQSocket:
        """A socket for the events of some topics, or of all (None), and for heartbeats."""
        socket = ZeroMQSocket(
            Kind.SUB,
            receive_limit=queue,
            max_size=_LARGEST,
            linger=0.0,
            heartbeat=_QUESTION,
            heartbeat_timeout=_SILENCE,
            curve=self.curve,
        )
        if topics is None:
            socket.subscribe(b"")
        else:  # heartbeats last: one that comes shows that the service knows of the other topics
            for topic in (*(set(topics) - {_HEARTBEAT}), _HEARTBEAT):
                socket.subscribe(encode_topic(topic))
        return socket
