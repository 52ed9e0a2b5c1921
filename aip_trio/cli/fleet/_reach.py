"""Reaching a device through its server, for as long as one command takes."""

import ssl
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio

from aip_trio.actors import current_environment
from aip_trio.cli._errors import CannotBegin
from aip_trio.cli.fleet._answer import Answer
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, TaskRequest
from aip_trio.errors import (
    DeviceNotConnected,
    HandshakeRefused,
    OperationTimeout,
    PeerError,
    RegistrationRefused,
    RetriesExhausted,
    TransportError,
)
from aip_trio.resilience import Backoff, ReconnectionStrategy
from aip_trio.transport import AdapterName

__all__ = ["LOST", "Reach", "reach"]

#: What is logged of a connection that cannot be made, or is lost; the command itself tells it in its words.
LOST = (TransportError, PeerError, RetriesExhausted)

#: A server or a device that is just starting again is worth a moment's patience.
_PATIENCE = Backoff(initial=0.2, maximum=1.0, jitter=False, max_retries=3)

#: Seconds: for an address that does not answer at all, and between heartbeats; two of them without a sign
#: of life are the end of the connection.
_CONNECT, _HEARTBEAT = 10.0, 10.0

#: Seconds in which a socket that broke may be made anew: somebody sits and waits.
_RESUME = 10.0

#: What the words mean that AIP has for the end of a task (wire/aip.md, 7).
_REASONS = {
    "device_disconnected": "the device was lost while it worked",
    "server_stopping": "the server was stopped",
}


@attrs.frozen
class Reach:
    """A device, through one connection to its server; what is lost for longer than a moment stays lost."""

    endpoint: ConstellationEndpoint
    device: str

    async def perform(
        self,
        request: str,
        metadata: Mapping[str, Any],
        seconds: float,
        on_log: Callable[[str], object] | None = None,
    ) -> Answer:
        """Give the device a task, and wait for its end, so many seconds at most. A checkpoint.

        ``on_log`` is called with each line of how it goes. Raises CannotBegin where it could not be given.
        """
        await trio.lowlevel.checkpoint()
        order = TaskRequest(request=request, metadata=metadata, timeout=seconds)
        began = trio.current_time()
        error: str | None
        result: Any = None
        log: list[str] = []

        def heard(line: str) -> None:
            log.append(line)
            if on_log is not None:
                on_log(line)

        completed = False
        try:
            done = await self.endpoint.send_task_to_device(self.device, order, on_log=heard)
        except DeviceNotConnected as gone:
            raise CannotBegin("the connection to the server was lost before the task was sent") from gone
        except OperationTimeout:
            error = f"no end within {seconds:g} s: it is cancelled"
        else:
            completed, result, error = done.completed, done.result, done.error
            if error is not None and not self.endpoint.is_device_connected(self.device):
                error = "the connection to the server was lost while the task ran"
            elif error in _REASONS:
                error = f"{error}: {_REASONS[error]}"
        return Answer(
            task_id=order.task_id,
            device=self.device,
            completed=completed,
            error=error,
            result=result,
            log=tuple(log),
            seconds=trio.current_time() - began,
        )


async def reach(
    name: str,
    url: str,
    device: str,
    token: str | None,
    tls: ssl.SSLContext | None = None,
    adapter: AdapterName = "native",
) -> Reach:
    """Connect, in the system of this task; ``name``: what the server's log calls it. A checkpoint.

    Raises CannotBegin when the server or the device cannot be reached within seconds; InvalidUrl.
    """
    endpoint = ConstellationEndpoint(
        f"{name}-{current_environment().new_id()[:12]}",
        reconnection_strategy=ReconnectionStrategy(max_retries=0),
        resume_window=_RESUME,
        heartbeat_interval=_HEARTBEAT,
        timeout=_CONNECT,
        token=token,
        ssl_context=tls,
        adapter=adapter,
    )
    await endpoint.start()
    with trio.move_on_after(_CONNECT):
        await _connect(endpoint, AgentProfile(device_id=device, server_url=url))
        return Reach(endpoint, device)
    raise CannotBegin(f"cannot connect to {url}: no answer within {_CONNECT:g} s")


async def _connect(endpoint: ConstellationEndpoint, profile: AgentProfile) -> None:
    failures = 0
    while True:
        try:
            await endpoint.connect_to_device(profile)
            return
        except HandshakeRefused as refused:  # it was understood: the same again has the same answer
            advice = ": give the server's token with --token-file" if refused.status == 401 else ""
            raise CannotBegin(f"{refused}{advice}") from refused
        except ConnectionError as error:
            failures += 1
            if _PATIENCE.exhausted(failures):
                reason = error.reason if isinstance(error, RegistrationRefused) else str(error)
                raise CannotBegin(reason) from error
        await trio.sleep(_PATIENCE.delay(failures, 0.0))
