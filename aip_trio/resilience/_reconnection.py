"""Coming back after a connection was lost."""

import logging
import zlib
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import count
from typing import Protocol

import attrs
import trio

from aip_trio.errors import InvalidSpec, ReconnectionUnderWay
from aip_trio.resilience._backoff import Backoff
from aip_trio.resilience._linear import LinearBackoff

__all__ = ["Reconnectable", "ReconnectionPolicy", "ReconnectionStrategy"]

logger = logging.getLogger("aip_trio.resilience")


class ReconnectionPolicy(StrEnum):
    """How the waits between tries grow."""

    EXPONENTIAL_BACKOFF = "exponential_backoff"
    LINEAR_BACKOFF = "linear_backoff"
    IMMEDIATE = "immediate"  #: no wait
    NONE = "none"  #: no try


class Reconnectable(Protocol):
    """What a strategy needs of an endpoint."""

    async def reconnect_device(self, device_id: str, /) -> bool:
        """Connect again: True, or raises; False counts as a failure, too."""
        ...

    async def cancel_device_tasks(self, device_id: str, /, reason: str) -> object:
        """End the tasks that run on the device."""
        ...

    async def on_device_disconnected(self, device_id: str, /) -> object:
        """Told once for each loss of the connection."""
        ...


def _policy(value: str) -> ReconnectionPolicy:
    try:
        return ReconnectionPolicy(value)
    except ValueError:
        names = ", ".join(ReconnectionPolicy)
        raise InvalidSpec("ReconnectionStrategy.policy", value, f"give one of {names}") from None


def _schedule(strategy: "ReconnectionStrategy") -> Backoff:
    if strategy.policy is ReconnectionPolicy.NONE:
        return Backoff(max_retries=0, reset_after=strategy.reset_after)
    if strategy.policy is ReconnectionPolicy.IMMEDIATE:
        initial = maximum = 0.0
    else:
        maximum = strategy.max_backoff
        initial = min(strategy.initial_backoff, maximum)
    linear = strategy.policy is ReconnectionPolicy.LINEAR_BACKOFF
    return (LinearBackoff if linear else Backoff)(
        initial=initial,
        multiplier=strategy.backoff_multiplier,
        maximum=maximum,
        jitter=strategy.jitter,
        max_retries=strategy.max_retries,
        reset_after=strategy.reset_after,
    )


# on_setattr: a setting that changes would leave the schedule made of it behind.
@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.frozen)
class ReconnectionStrategy:
    """When to try again after a connection was lost, and when to give up.

    Try n waits ``initial_backoff * backoff_multiplier ** (n - 1)`` seconds, at most ``max_backoff``; by the
    policy LINEAR_BACKOFF ``n * initial_backoff``, by IMMEDIATE 0. After ``max_retries`` tries that failed it
    gives up; None is for ever. Tries are counted for each device by itself.

    The supervised connections of an endpoint take `backoff` as their child spec's: for them reconnecting
    is restarting. `handle_disconnection` and `attempt_reconnection` do the same for one's own endpoint.

    - ``jitter``: wait a part of that time, another one for each device and try, so that a fleet whose
      server restarts does not come back in the same moment. The part depends on the device's name and the
      try alone, so that a simulation repeats it.
    - ``reset_after``: seconds after which a restarted connection counts as healthy (see `Backoff`).

    :raises InvalidSpec: a value out of its range
    """

    max_retries: int | None = 5
    initial_backoff: float = 1.0
    max_backoff: float = 60.0
    backoff_multiplier: float = 2.0
    policy: ReconnectionPolicy = attrs.field(
        default=ReconnectionPolicy.EXPONENTIAL_BACKOFF, converter=_policy
    )
    jitter: bool = attrs.field(default=False, kw_only=True)
    reset_after: float = attrs.field(default=60.0, kw_only=True)
    _backoff: Backoff = attrs.field(init=False, repr=False, default=attrs.Factory(_schedule, takes_self=True))
    _retries: dict[str, int] = attrs.field(init=False, factory=dict[str, int])
    _under_way: set[str] = attrs.field(init=False, factory=set[str], repr=False)

    @property
    def backoff(self) -> Backoff:
        """The schedule, as a child spec takes it."""
        return self._backoff

    def delays(self, device_id: str = "") -> Iterator[float]:
        """Seconds to wait before the first try, the second, and so on; endless where it never gives up."""
        for failures in count(1):
            if self._backoff.exhausted(failures):
                return
            yield self._delay(device_id, failures)

    def retries(self, device_id: str) -> int:
        """How many tries have failed since the device was last connected, or reset."""
        return self._retries.get(device_id, 0)

    def reset(self, device_id: str | None = None) -> None:
        """Forget the failed tries of this device, or of all: whoever is trying has the full number again."""
        if device_id is None:
            self._retries.clear()
        else:
            self._retries.pop(device_id, None)

    async def handle_disconnection(
        self,
        endpoint: Reconnectable,
        device_id: str,
        on_reconnect: Callable[[], Awaitable[object]] | None = None,
    ) -> bool:
        """End the device's tasks, tell the endpoint, and try to connect again; then call ``on_reconnect``.

        A checkpoint.

        :returns: whether it is connected again
        :raises ReconnectionUnderWay: another task is at it
        """
        with self._alone(device_id):
            await endpoint.cancel_device_tasks(device_id, reason="device_disconnected")
            await endpoint.on_device_disconnected(device_id)
            connected = await self._attempt(endpoint, device_id)
        if connected and on_reconnect is not None:
            await on_reconnect()
        return connected

    async def attempt_reconnection(self, endpoint: Reconnectable, device_id: str) -> bool:
        """Wait and try, until the device is connected or the tries are used up. A checkpoint.

        A try fails with an `OSError` (each ConnectionError and TimeoutError is one) or
        `trio.TooSlowError`; anything else is no matter of the connection, and goes through.

        :returns: whether it is connected again
        :raises ReconnectionUnderWay: another task is at it
        """
        with self._alone(device_id):
            return await self._attempt(endpoint, device_id)

    async def _attempt(self, endpoint: Reconnectable, device_id: str) -> bool:
        await trio.lowlevel.checkpoint()
        self.reset(device_id)
        while not self._backoff.exhausted(failures := self.retries(device_id) + 1):
            await trio.sleep(self._delay(device_id, failures))
            if await self._try(endpoint, device_id):
                self.reset(device_id)
                return True
            self._retries[device_id] = self.retries(device_id) + 1
        return False

    async def _try(self, endpoint: Reconnectable, device_id: str) -> bool:
        try:
            if await endpoint.reconnect_device(device_id):
                return True
            reason = "it says so"
        except (OSError, trio.TooSlowError) as error:
            reason = f"{type(error).__name__}: {error}"
        logger.warning("try %d to reconnect %s failed: %s", self.retries(device_id) + 1, device_id, reason)
        return False  # noqa: ASYNC910 - the loop around it sleeps

    @contextmanager
    def _alone(self, device_id: str) -> Generator[None]:
        if device_id in self._under_way:
            raise ReconnectionUnderWay(device_id)
        self._under_way.add(device_id)
        try:
            yield
        finally:
            self._under_way.discard(device_id)

    def _delay(self, device_id: str, failures: int) -> float:
        draw = zlib.crc32(f"{device_id}/{failures}".encode()) / 2**32
        return self._backoff.delay(failures, draw)
