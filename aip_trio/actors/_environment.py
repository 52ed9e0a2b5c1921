"""What a system takes from the world outside."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import trio

__all__ = ["Environment", "RealEnvironment"]


class Environment(Protocol):
    """The one way to randomness, the wall clock, new ids, the network and the disk's sync.

    ``open_system(environment=…)`` takes one. Nothing in aip_trio goes around it, so that a simulated
    one decides everything that Trio's clock does not.
    """

    @property
    def random(self) -> random.Random:
        """Where all chance comes from (jitter, sampling)."""
        ...

    def now(self) -> datetime:
        """The wall clock, with its time zone."""
        ...

    def new_id(self) -> str:
        """A new id, different from every other."""
        ...

    def new_secret(self) -> str:
        """A new secret that nobody can guess, in hexadecimal: never logged."""
        ...

    async def open_tcp_stream(self, host: str, port: int) -> trio.abc.HalfCloseableStream:
        """Connect; OSError where nobody listens."""
        ...

    async def open_tcp_listeners(
        self, port: int, *, host: str = "127.0.0.1", backlog: int | None = None
    ) -> Sequence[trio.abc.Listener[trio.abc.HalfCloseableStream]]:
        """Listen; port 0 picks one."""
        ...

    def sync(self, file: int) -> None:
        """Bring what was written to this file descriptor to the disk. Blocks: call it in a thread."""


class RealEnvironment:
    """The world as it is. ``seed`` makes its chances, and nothing else, repeatable."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)

    @property
    def random(self) -> random.Random:
        """A generator of this environment's own."""
        return self._random

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    def new_id(self) -> str:
        """A random UUID in hexadecimal: of version 4, as the two fixed digits say."""
        digits = os.urandom(16).hex()
        return f"{digits[:12]}4{digits[13:16]}a{digits[17:]}"  # `uuid` takes four times as long

    def new_secret(self) -> str:
        """32 bytes from the operating system."""
        return secrets.token_hex(32)

    async def open_tcp_stream(self, host: str, port: int) -> trio.SocketStream:
        """`trio.open_tcp_stream`."""
        return await trio.open_tcp_stream(host, port)

    async def open_tcp_listeners(
        self, port: int, *, host: str = "127.0.0.1", backlog: int | None = None
    ) -> Sequence[trio.SocketListener]:
        """`trio.open_tcp_listeners`, on the loopback unless told otherwise."""
        return await trio.open_tcp_listeners(port, host=host, backlog=backlog)

    def sync(self, file: int) -> None:
        """`os.fsync`."""
        os.fsync(file)
