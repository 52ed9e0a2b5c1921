"""How many connections each address has."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from aip_trio.errors import InvalidSpec

__all__ = ["LOOPBACK", "Addresses"]

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

#: This machine's own addresses.
LOOPBACK = ("127.0.0.0/8", "::1/128")

#: Bits of an IPv6 address that one customer of a provider shares with nobody (RFC 6177).
_OWN = 64


class Addresses:
    """Counts who is in. Pure: knows no connection.

    ``limit``: connections of one address, or of one network of IPv6; None: any number. The networks of
    ``uncounted`` have no limit, and neither has what is no address.
    """

    def __init__(self, limit: int | None, uncounted: Sequence[str] = LOOPBACK) -> None:
        if limit is not None and limit < 1:
            raise InvalidSpec("max_per_address", limit, "give 1 or more, or None")
        self.limit = limit
        self._uncounted = [_network(each) for each in uncounted]
        self._there: Counter[str] = Counter()

    def enter(self, host: str) -> str | None:
        """Let one more in: the name to `leave` by, ``""`` where it is not counted; None: there is no room."""
        name = self._counted(host)
        if not name:
            return ""
        if self._there[name] >= (self.limit or 0):
            return None
        self._there[name] += 1
        return name

    def leave(self, name: str) -> None:
        """One has gone."""
        if name:
            self._there[name] -= 1
            if not self._there[name]:
                del self._there[name]

    def __len__(self) -> int:
        """How many addresses are counted now."""
        return len(self._there)

    def _counted(self, host: str) -> str:
        if self.limit is None:
            return ""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:  # a pipe, as tests have
            return ""
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        if any(address in network for network in self._uncounted):
            return ""
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        return str(ipaddress.ip_network((address, _OWN), strict=False))


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise InvalidSpec(
            "uncounted_addresses", text, f"is no network ({error}): give one such as '10.0.0.0/8'"
        ) from error
