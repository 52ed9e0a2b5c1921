"""Whom a server over ZeroMQ lets in: who says hello, measured by the server's rules. Pure: decides."""

from __future__ import annotations

import logging
from collections import Counter

import attrs

from aip_trio.transport._addresses import Addresses
from aip_trio.transport._handshake import Doorkeeper, Handshake, Refusal
from aip_trio.transport.zeromq._peer import Peer
from aip_trio.transport.zeromq._wire import Hello

__all__ = ["Entrance", "Guest"]

logger = logging.getLogger("aip_trio.transport")


@attrs.frozen
class Guest:
    """Somebody who may come in. ``address``: what `Entrance.left` wants to know."""

    subprotocol: str | None
    name: str
    address: str


class Entrance:
    """The rules, and who has been refused by which of them.

    ``scheme``: of where the server listens, for those who have no address of their own.
    """

    def __init__(
        self, scheme: str, doorkeeper: Doorkeeper, addresses: Addresses, max_connections: int
    ) -> None:
        self._scheme = scheme
        self._doorkeeper = doorkeeper
        self._addresses = addresses
        self._max_connections = max_connections
        self._inside = 0
        self._known: dict[int, str] = {}
        self.closed = False
        #: by the rule that they met
        self.refusals: Counter[str] = Counter()

    def seen(self, number: int, name: str) -> None:
        """libzmq has a connection of this number, with ``host:port``."""
        self._known[number] = name

    def lost(self, number: int) -> None:
        """It has ended."""
        self._known.pop(number, None)

    def judge(self, hello: Hello, peer: Peer) -> Guest | Refusal:
        """Whether to let this one in; a Guest is in, until it has `left`."""
        name = self._name(peer)
        address = self._addresses.enter(peer.host) if self._scheme == "tcp" else ""
        refusal, subprotocol = self._measure(hello, name, address)
        if refusal is None and address is not None:
            self._inside += 1
            return Guest(subprotocol, name, address)
        self._addresses.leave(address or "")
        if refusal is None:
            reason = f"all {self._addresses.limit} connections of this address are taken"
            refusal = Refusal(429, reason, "connections_per_address")
        self.refusals[refusal.rule] += 1
        logger.info("%s was refused with status %d: %s", name, refusal.status, refusal.body)
        return refusal

    def left(self, guest: Guest) -> None:
        """It has gone."""
        self._inside -= 1
        self._addresses.leave(guest.address)

    def _measure(self, hello: Hello, name: str, address: str | None) -> tuple[Refusal | None, str | None]:
        """Why not, or None; and the subprotocol."""
        if self.closed:
            return Refusal(503, "the server is going away", "closing"), None
        if self._inside >= self._max_connections:
            return Refusal(503, f"all {self._max_connections} connections are taken", "connections"), None
        if address is None:
            return None, None
        headers = [(header.lower(), value) for header, value in hello.headers]
        handshake = Handshake.of("/", headers, hello.subprotocols, name)
        try:
            return self._doorkeeper.refusal(handshake), self._doorkeeper.subprotocol(handshake)
        except Exception:  # admit's: who cannot be judged is not let in
            logger.exception("admit crashed for %s", name, extra={"peer": name})
            return Refusal(500, "the server failed", "admit"), None

    def _name(self, peer: Peer) -> str:
        """``host:port``, as far as it is known; the scheme, where there is no such thing."""
        if self._scheme != "tcp":
            return self._scheme
        known = self._known.get(peer.connection, "")
        host = f"[{peer.host}]" if ":" in peer.host else peer.host
        return known if known.rpartition(":")[0] == host else f"{host}:0"
