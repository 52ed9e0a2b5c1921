"""What a service is told before it starts."""

from __future__ import annotations

import math
from typing import Literal, TypeGuard, TypeVar

import attrs

from aip_trio.errors import InvalidSpec
from aip_trio.transport.zeromq import CurveServer

__all__ = ["ApiOptions", "RpcOptions", "TelemetryOptions", "create_default_api_options"]


T = TypeVar("T")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _seconds(options: RpcOptions, field: attrs.Attribute[T], value: T) -> None:
    if not _is_number(value) or value < 0:
        raise InvalidSpec(field.name, value, "give seconds, 0 or more")


def _some_seconds(options: RpcOptions, field: attrs.Attribute[T], value: T) -> None:
    if not _is_number(value) or value <= 0:
        raise InvalidSpec(field.name, value, "give seconds, more than 0")


def _some_seconds_or_none(options: RpcOptions, field: attrs.Attribute[T], value: T) -> None:
    if value is not None and (not _is_number(value) or value <= 0):
        raise InvalidSpec(field.name, value, "give seconds, more than 0, or None for any time")


def _port(options: RpcOptions, field: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or not 0 <= value <= 65535:
        raise InvalidSpec(field.name, value, "give a port from 1 to 65535, or 0 to have one picked")


def _count(options: RpcOptions, field: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or value < 0:
        raise InvalidSpec(field.name, value, "give a number, 0 or more")


def _some(options: RpcOptions, field: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or value < 1:
        raise InvalidSpec(field.name, value, "give a number, 1 or more")


def _text(options: RpcOptions, field: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidSpec(field.name, value, "give a text that is not empty")


def _another_port(options: RpcOptions, field: attrs.Attribute[int], value: int) -> None:
    _port(options, field, value)
    if value and value == options.subscriber_port:
        raise InvalidSpec(field.name, value, "give it another port than subscriber_port has")


def _keys(options: RpcOptions, field: attrs.Attribute[CurveServer | None], value: CurveServer | None) -> None:
    if value is not None and not isinstance(value, CurveServer):
        raise InvalidSpec(field.name, type(value).__name__, "give a CurveServer, with the secret key")


def _dialect(options: RpcOptions, field: attrs.Attribute[T], value: T) -> None:
    if value not in ("0.12", "0.9"):
        raise InvalidSpec(field.name, value, "choose '0.12', or '0.9' where subscribers are that old")


@attrs.frozen
class RpcOptions:
    """Where a service listens, and how much it takes on. Raises InvalidSpec, a ValueError.

    - ``enable``: False: `create_api_service` makes none
    - ``identifier``: the device's name, in every heartbeat
    - ``heartbeat_interval``: seconds
    - ``subscriber_port``, ``command_port``: 0 picks one
    - ``host``: the address to listen at; ``"*"``: all of this machine's
    - ``replay``: events that are kept for each topic, for subscribers that have missed some; 0: none
    - ``dialect``: how events are written: "0.12", or "0.9" for subscribers that know nothing newer
    - ``pending_after``: seconds after which a command whose delegate has not returned is answered with
      PENDING_WITH_NOTIFICATION
    - ``delegate_timeout``: seconds after which a delegate is given up; None: never
    - ``max_commands``: delegates that may run at once; what is beyond is answered with UNAVAILABLE
    - ``queue``: messages that may wait to be published
    - ``send_limit``: messages that may wait for each subscriber, and answers for each client: its high-water
      mark, beyond which it misses some
    - ``curve``: the service's keys, where the two sockets are to be encrypted

    The first five, and their defaults, are those of seed 004.
    """

    enable: bool = True
    identifier: str = attrs.field(default="autotrainer-device", validator=_text)
    heartbeat_interval: float = attrs.field(default=5, validator=_some_seconds)
    subscriber_port: int = attrs.field(default=5556, validator=_port)
    command_port: int = attrs.field(default=5557, validator=_another_port)
    host: str = attrs.field(default="127.0.0.1", validator=_text, kw_only=True)
    replay: int = attrs.field(default=0, validator=_count, kw_only=True)
    dialect: Literal["0.12", "0.9"] = attrs.field(default="0.12", validator=_dialect, kw_only=True)
    pending_after: float = attrs.field(default=0.05, validator=_seconds, kw_only=True)
    delegate_timeout: float | None = attrs.field(default=300.0, validator=_some_seconds_or_none, kw_only=True)
    max_commands: int = attrs.field(default=256, validator=_some, kw_only=True)
    queue: int = attrs.field(default=65536, validator=_some, kw_only=True)
    send_limit: int = attrs.field(default=10_000, validator=_some, kw_only=True)
    curve: CurveServer | None = attrs.field(default=None, validator=_keys, kw_only=True)


@attrs.frozen
class TelemetryOptions:
    """Of seed 004, which does nothing with them; neither do we."""

    enable: bool = False
    endpoint: str | None = None
    api_key: str = attrs.field(default="", repr=False)


@attrs.frozen
class ApiOptions:
    """All options of a device's API."""

    rpc: RpcOptions | None = None
    telemetry: TelemetryOptions | None = None


def create_default_api_options() -> ApiOptions:
    """The options of seed 004: a service on ports 5556 and 5557 of the loopback."""
    return ApiOptions(rpc=RpcOptions(), telemetry=TelemetryOptions())
