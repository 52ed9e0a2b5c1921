"""How much a server takes on."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from aip_trio.errors import InvalidSpec
from aip_trio.transport import LOOPBACK

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["Limits"]


def _one_or_more(_: object, attribute: Attribute[int], value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidSpec(f"Limits.{attribute.name}", value, "give a number, 1 or more")


def _networks(_: object, attribute: Attribute[Sequence[str]], value: Sequence[str]) -> None:
    for network in value:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            reason = f"is no network ({error}): give one such as '10.0.0.0/8'"
            raise InvalidSpec(f"Limits.{attribute.name}", network, reason) from error


def _texts(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class Limits:
    """Bounds of a server; what goes beyond one is refused with an error that names it.

    - ``clients``: registered devices and constellations together
    - ``connections``: sockets, those that have not registered yet included; of each address that it has
    - ``connections_per_address``: those of one address; of IPv6, of one network of 64 bits, which one machine
      may have all of. Addresses in the networks of ``uncounted_addresses`` have no such limit: by default the
      loopback, where this machine's own programs and a reverse proxy come from
    - ``tasks_per_client``: tasks that one client has asked for and that run
    - ``sessions_per_device``: tasks that run on one device, whoever asked
    - ``message_size``: bytes of one message that comes in
    - ``queued_bytes``: bytes that wait for one client. One that takes hardly any of more than that (64 KiB in
      5 s) is told to go, and is closed
    """

    clients: int = attrs.field(default=10_000, validator=_one_or_more)
    connections: int = attrs.field(default=12_000, validator=_one_or_more)
    connections_per_address: int = attrs.field(default=1_000, validator=_one_or_more)
    uncounted_addresses: Sequence[str] = attrs.field(default=LOOPBACK, converter=_texts, validator=_networks)
    tasks_per_client: int = attrs.field(default=256, validator=_one_or_more)
    sessions_per_device: int = attrs.field(default=256, validator=_one_or_more)
    message_size: int = attrs.field(default=100 * 1024 * 1024, validator=_one_or_more)
    queued_bytes: int = attrs.field(default=16 * 1024 * 1024, validator=_one_or_more)
