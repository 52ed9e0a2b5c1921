"""Whom a server lets in: what a client asks for, and the rules that it is measured by."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, TypeAlias

import attrs

from aip_trio.errors import InvalidSpec
from aip_trio.transport._words import check_subprotocols

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["Admit", "Doorkeeper", "Handshake", "Refusal"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

#: A Host header: a name, or an address (of IPv6 in brackets), and perhaps a port.
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::\d*)?", re.ASCII | re.IGNORECASE)


@attrs.frozen
class Handshake:
    """A client's request for a WebSocket. Names of headers are in lower case."""

    path: str
    query: str
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)  # there may be secrets in them
    subprotocols: tuple[str, ...]
    #: ``host:port`` of the client
    peer: str

    @classmethod
    def of(
        cls, target: str, headers: Sequence[tuple[str, str]], subprotocols: Sequence[str], peer: str
    ) -> Handshake:
        """A request as it was sent. Names of ``headers`` are in lower case."""
        path, _, query = target.partition("?")
        return cls(path, query, tuple(headers), tuple(subprotocols), peer)

    def header(self, name: str) -> str | None:
        """A header's value; several of one name are joined by ``", "``, as HTTP has it. None: absent."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None


def _refuses(_: object, attribute: Attribute[int], value: int) -> None:
    if not 400 <= value <= 599:
        raise InvalidSpec(attribute.name, value, "give an HTTP status from 400 to 599")


@attrs.frozen
class Refusal:
    """No: an HTTP status from 400 to 599, and a text for people. Raises InvalidSpec."""

    status: int = attrs.field(validator=_refuses)
    body: str
    #: which rule it is, for the statistics
    rule: str = "admit"


#: Decides on a handshake; None lets it in.
Admit: TypeAlias = "Callable[[Handshake], Refusal | None]"


@attrs.frozen
class Doorkeeper:
    """The rules of one server. Pure: decides, and knows no connection.

    A page in a browser can reach any server that its user can. It gives itself away by its Origin, and where
    it made its own name lead to this machine (DNS rebinding), by its Host.
    """

    path: str | None
    hosts: frozenset[str] | None
    origins: Collection[str]
    subprotocols: Sequence[str]
    admit: Admit | None

    @classmethod
    def of(
        cls,
        host: str,
        path: str | None,
        allowed_hosts: Collection[str] | None,
        allowed_origins: Collection[str],
        subprotocols: Sequence[str],
        admit: Admit | None,
    ) -> Doorkeeper:
        """Without ``allowed_hosts`` a server on the loopback answers to the loopback's names alone.

        Raises InvalidSpec.
        """
        if path is not None and not path.startswith("/"):
            raise InvalidSpec("path", path, "begin it with a slash, or give None for any")
        hosts: frozenset[str] | None = None
        if allowed_hosts is not None:
            hosts = frozenset(name.lower() for name in allowed_hosts)
        elif _is_loopback(host):
            hosts = _LOOPBACK | {host.lower()}
        origins = frozenset(origin.lower() for origin in allowed_origins)
        return cls(path, hosts, origins, check_subprotocols(subprotocols), admit)

    def refusal(self, handshake: Handshake) -> Refusal | None:
        """Why not, or None."""
        if handshake.header("transfer-encoding") or handshake.header("content-length") not in (None, "0"):
            return Refusal(
                400, "a request for a WebSocket has no body", "request"
            )  # a frame could look like one
        if self.path is not None and handshake.path != self.path:
            return Refusal(404, f"there is no {handshake.path} here, connect to {self.path}", "path")
        origin = handshake.header("origin")
        if origin is not None and origin.lower() not in self.origins:
            return Refusal(403, f"origin {origin} is not allowed here", "origin")
        host = handshake.header("host") or ""
        if self.hosts is not None and _name(host) not in self.hosts:
            return Refusal(403, f"this is not host {host}", "host")
        return self.admit(handshake) if self.admit is not None else None

    def subprotocol(self, handshake: Handshake) -> str | None:
        """The first of the server's that the client offers, too."""
        return next((name for name in self.subprotocols if name in handshake.subprotocols), None)


def _name(host: str) -> str | None:
    """The host of a Host header, without its port."""
    match = _HOST.fullmatch(host)
    return (match[1] or match[2]).lower() if match is not None else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in _LOOPBACK
