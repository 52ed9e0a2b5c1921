"""The service: events to whoever subscribes, commands from whoever has some."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from aip_trio.actors import ChildSpec, current_environment
from aip_trio.errors import EncodeError, RpcServiceStopped
from aip_trio.rpc._command import ApiCommandRequestResponse, ApiCommandRequestResult
from aip_trio.rpc._event import EMERGENCIES, ApiEvent
from aip_trio.rpc._options import ApiOptions, RpcOptions
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc._tree import TreeOwner
from aip_trio.rpc.service._commands import Commands
from aip_trio.rpc.service._delegate import CommandRequestDelegate, Delegate
from aip_trio.rpc.service._desk import Desk
from aip_trio.rpc.service._heartbeat import Heartbeat
from aip_trio.rpc.service._history import History
from aip_trio.rpc.service._listening import port_of
from aip_trio.rpc.service._machine import RPC_SERVICE_MACHINE, RpcServiceEvent, RpcServiceState
from aip_trio.rpc.service._outgoing import Message, Outgoing
from aip_trio.rpc.service._publisher import Publisher
from aip_trio.rpc.service._statistics import RpcStatistics

__all__ = ["RpcService", "RpcUrls", "create_api_service"]

logger = logging.getLogger("aip_trio.rpc")

_EMERGENCY, _EVENT = int(ApiTopic.EMERGENCY), int(ApiTopic.EVENT)
_RESULT = int(ApiTopic.COMMAND_RESULT)


class RpcUrls(NamedTuple):
    """Where a service listens."""

    events: str
    commands: str


class RpcService(TreeOwner):
    """Publishes what happens on a device, and has its delegate do what clients ask for.

    ``await service.start()`` inside a running system, and ``await service.stop()``, once each; or
    ``async with service:``, which opens a system where there is none. Its parts are supervised: one that
    fails is started again on the same port, and the others do not notice.

    What is sent is taken at once and published soon. The methods named ``send…`` may be called from any
    thread, and return whether the message was taken: not before the start and after the stop, and not while
    ``queue`` messages (see `RpcOptions`) wait already. They raise EncodeError for what has no form in JSON,
    and for a topic that does not fit into 4 bytes.

    Source: seed 004; wire/rpc.md.
    """

    _name = "rpc"

    def __init__(self, options: RpcOptions) -> None:
        super().__init__()
        self._lifecycle = RPC_SERVICE_MACHINE.start()
        self._unsent_in: RpcServiceState | None = None
        self._desk = Desk(options, Outgoing(options.queue))

    def _specs(self) -> Iterable[ChildSpec]:
        yield ChildSpec("publisher", Publisher, self._desk)
        yield ChildSpec("commands", Commands, self._desk)
        yield ChildSpec("heartbeat", Heartbeat, self._desk)

    async def start(self) -> None:
        """Start it, in the system of the calling task: it listens when this returns. A checkpoint.

        Raises AddressInUse, CannotListen (each an OSError), NoSystem; RpcServiceStopped where it has stopped,
        or could not start; IllegalTransition where it runs.
        """
        await super().start()

    def _begin(self) -> None:
        if self._lifecycle.done:
            raise RpcServiceStopped(self.identifier)
        self._lifecycle.fire(RpcServiceEvent.START)
        self._desk.history = History(current_environment().new_id(), self.options.replay)

    def _ended(self) -> None:
        if self._lifecycle.can(RpcServiceEvent.STOP):
            self._lifecycle.fire(RpcServiceEvent.STOP)

    @property
    def state(self) -> RpcServiceState:
        """Where it stands in its life."""
        return self._lifecycle.state

    @property
    def options(self) -> RpcOptions:
        """What it was made with."""
        return self._desk.options

    @property
    def identifier(self) -> str:
        """The device's name."""
        return self.options.identifier

    @property
    def heartbeat_interval(self) -> float:
        """Seconds between two heartbeats."""
        return self.options.heartbeat_interval

    @property
    def subscriber_port(self) -> int:
        """Where events come from; the one that was picked for 0, once it has started."""
        url = self._desk.events_url
        return self.options.subscriber_port if url is None else port_of(url)

    @property
    def command_port(self) -> int:
        """Where commands go to; the one that was picked for 0, once it has started."""
        url = self._desk.commands_url
        return self.options.command_port if url is None else port_of(url)

    @property
    def urls(self) -> RpcUrls:
        """Where it listens: for subscribers, and for commands."""
        host = self.options.host
        desk = self._desk
        return RpcUrls(
            desk.events_url or f"tcp://{host}:{self.subscriber_port}",
            desk.commands_url or f"tcp://{host}:{self.command_port}",
        )

    @property
    def command_request_delegate(self) -> CommandRequestDelegate | None:
        """What does the commands; None: they are answered with UNAVAILABLE. It may be set at any time."""
        delegate = self._desk.delegate
        return None if delegate is None else delegate.function

    @command_request_delegate.setter
    def command_request_delegate(self, function: CommandRequestDelegate | None) -> None:
        self._desk.delegate = None if function is None else Delegate.of(function)

    # Messages

    def send(self, topic: int, data: bytes) -> bool:
        """Publish bytes as they are. Any 4-byte integer is a topic."""
        if not isinstance(data, bytes):
            raise EncodeError(
                "message", f"a {type(data).__name__} is no bytes; send_string or send_dict takes it"
            )
        return self._runs() and self._desk.outgoing.put(self._desk.raw(topic, data))

    def send_string(self, topic: int, text: str) -> bool:
        """Publish a text, in UTF-8."""
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise EncodeError("message", f"{error}; take the surrogates out") from error
        return self.send(topic, data)

    def send_dict(self, topic: int, message: Mapping[str, object]) -> bool:
        """Publish a JSON object, its keys in camelCase. An emergency on EVENT goes out on EMERGENCY first."""
        return self._runs() and self._desk.outgoing.put(*self._written(topic, message))

    def send_event(self, event: ApiEvent | Mapping[str, object]) -> bool:
        """Publish an event on EVENT; an emergency stop, or its end, on EMERGENCY first."""
        return self._runs() and self._desk.outgoing.put(*self._written(_EVENT, event))

    def send_event_dict(self, message: Mapping[str, object]) -> bool:
        """`send_event`, under the name that auto-trainer-api 0.12 has for it."""
        return self.send_event(message)

    def send_command_result(self, response: ApiCommandRequestResponse) -> bool:
        """Publish how a command has ended whose delegate returned PENDING_WITH_NOTIFICATION.

        ``response`` has the command and the nonce of the request.
        """
        return self._runs() and self._desk.outgoing.put(self._desk.written(_RESULT, response))

    def _written(self, topic: int, content: object) -> list[Message]:
        message = self._desk.written(topic, content)
        if topic == _EVENT and _is_emergency(content):
            return [self._desk.written(_EMERGENCY, content), message]
        return [message]

    def _runs(self) -> bool:
        """Whether it takes messages; if not, the log says so once, because the caller may not look."""
        state = self._lifecycle.state
        if state is RpcServiceState.STARTED:
            return True
        if self._unsent_in is not state:
            self._unsent_in = state
            logger.warning("messages are not sent: the RPC service %s is %s", self.identifier, state.value)
        return False

    def statistics(self) -> RpcStatistics:
        """What it has done so far; any time, before the start and after the end too."""
        desk, tally = self._desk, self._desk.tally
        return RpcStatistics(
            published=dict(tally.published),
            queued=len(desk.outgoing),
            dropped=desk.outgoing.dropped,
            running=0 if desk.clerk is None else desk.clerk.running,
            pending=0 if desk.clerk is None else desk.clerk.pending,
            replies={ApiCommandRequestResult(result).name: count for result, count in tally.replies.items()},
            results=tally.results,
            malformed=tally.malformed,
            gone=tally.gone,
            unsent=tally.unsent,
            given_up=tally.given_up,
            replayed=tally.replayed,
        )


def _is_emergency(event: object) -> bool:
    if type(event) is dict or isinstance(event, Mapping):  # to ask an ABC takes long
        kind: object = cast("Mapping[object, object]", event).get("kind")
    else:
        kind = getattr(event, "kind", None)
    return isinstance(kind, int) and kind in EMERGENCIES


def create_api_service(options: ApiOptions) -> RpcService | None:
    """The service that the options describe; None where they have none, or it is not enabled."""
    rpc = options.rpc
    return RpcService(rpc) if rpc is not None and rpc.enable else None
