"""Addresses of ZeroMQ sockets."""

from __future__ import annotations

import attrs
import zmq

from aip_trio.errors import AddressInUse, CannotListen, InvalidUrl

__all__ = ["Address", "refusal"]

_SCHEMES = ("tcp", "ipc", "inproc")
_EXAMPLE = "give one such as 'tcp://127.0.0.1:5556', 'ipc:///run/fleet.sock' or 'inproc://fleet'"

#: A socket's address in the file system has to fit into the kernel's structure.
_LONGEST_PATH = zmq.IPC_PATH_MAX_LEN or 107


@attrs.frozen
class Address:
    """Where a socket listens, or connects to. Pure: nothing is looked up."""

    url: str
    scheme: str
    #: tcp: a host, an interface or "*", IPv6 in brackets; ipc: a path, or "@" and a name; inproc: a name
    host: str
    #: 0: one is to be picked, or the scheme has none
    port: int

    @classmethod
    def parse(cls, url: object, *, listening: bool) -> Address:
        """Raises InvalidUrl."""
        if not isinstance(url, str):
            raise InvalidUrl(url, f"is no text: {_EXAMPLE}")
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in _SCHEMES:
            raise InvalidUrl(url, f"is no address of ZeroMQ: {_EXAMPLE}")
        if not rest:
            raise InvalidUrl(url, f"names no place: {_EXAMPLE}")
        if "\0" in rest:
            raise InvalidUrl(url, f"has a NUL in it: {_EXAMPLE}")
        try:
            length = len(rest.encode())
        except UnicodeEncodeError:
            raise InvalidUrl(url, f"has half a character in it: {_EXAMPLE}") from None
        if scheme == "tcp":
            return cls(url, scheme, *_host_and_port(url, rest, listening))
        if scheme == "ipc" and length > _LONGEST_PATH:
            raise InvalidUrl(url, f"has a path of more than {_LONGEST_PATH} bytes: give a shorter one")
        if rest == "*" and not listening:
            raise InvalidUrl(url, f"is for listening alone: {_EXAMPLE}")
        return cls(url, scheme, rest, 0)

    @property
    def ipv6(self) -> bool:
        """Whether the socket has to be told that IPv6 is wanted."""
        return self.scheme == "tcp" and "[" in self.host

    @property
    def wire(self) -> str:
        """As libzmq reads it."""
        return f"tcp://{self.host}:{self.port or '*'}" if self.scheme == "tcp" else self.url


def _host_and_port(url: str, rest: str, listening: bool) -> tuple[str, int]:
    host, colon, port = rest.rpartition(":")
    if not colon or not host or host.endswith(":"):
        raise InvalidUrl(url, f"names no host and port: {_EXAMPLE}")
    if host == "*" and not listening:
        raise InvalidUrl(url, f"is for listening alone: {_EXAMPLE}")
    if listening and port == "*":
        return host, 0
    # libzmq would take 99999 for 34463.
    if not (port.isascii() and port.isdigit()) or not (0 if listening else 1) <= int(port) <= 65535:
        pick = ", or '*' to have one picked" if listening else ""
        raise InvalidUrl(url, f"has port {port!r}: give 1 to 65535{pick}")
    return host, int(port)


def refusal(error: zmq.ZMQError, address: Address, *, listening: bool) -> Exception:
    """The exception for an address that libzmq refuses."""
    reason = error.strerror.partition(" (addr=")[0]
    if error.errno in (zmq.EINVAL, zmq.EPROTONOSUPPORT, zmq.ENOCOMPATPROTO):
        return InvalidUrl(address.url, f"is refused by ZeroMQ ({reason}): {_EXAMPLE}")
    where = (address.host, address.port) if address.scheme == "tcp" else (address.url, 0)
    if error.errno == zmq.EADDRINUSE:
        return AddressInUse(*where)
    if listening:
        return CannotListen(*where, reason)
    return InvalidUrl(address.url, f"cannot be connected to ({reason}): {_EXAMPLE}")
