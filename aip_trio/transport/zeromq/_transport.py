"""A transport over ZeroMQ."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Self

import trio

from aip_trio.errors import InvalidSpec
from aip_trio.transport._connecting import ConnectingTransport
from aip_trio.transport._settings import Settings
from aip_trio.transport._state import TRANSPORT_MACHINE, TransportEvent
from aip_trio.transport._words import check_headers, check_subprotocols
from aip_trio.transport.zeromq._address import Address
from aip_trio.transport.zeromq._connection import ZeroMQConnection
from aip_trio.transport.zeromq._curve import CurveClient
from aip_trio.transport.zeromq._dealer import Dealer
from aip_trio.transport.zeromq._flow import WINDOW
from aip_trio.transport.zeromq._wire import VERSION, Hello

__all__ = ["ZeroMQTransport"]


class ZeroMQTransport(ConnectingTransport):
    """Messages over ZeroMQ, to what `serve_zeromq` serves: ``tcp://``, ``ipc://``, in a process ``inproc://``.

    It is told from WebSocket by its URL alone: connected, closed, lost, and kept alive in the same way, by
    the same codes. A connection that is lost stays lost; a link (`aip.v2`) makes a new one.

    Seconds: ``ping_interval`` between pings (None: none); a peer that is silent for ``ping_timeout``, or
    answers no ping for so long, is lost, with PeerSilent (None: never); ``close_timeout`` for the goodbye.
    ``max_size``: bytes of a message that comes; a larger one closes the connection with 1009. ``curve``: the
    server's key, and this side's own: what is sent is encrypted then, and both sides are who they say.

    Raises InvalidSpec.
    """

    def __init__(
        self,
        ping_interval: float | None = 30.0,
        ping_timeout: float | None = 180.0,
        close_timeout: float = 10.0,
        max_size: int = 104857600,
        *,
        curve: CurveClient | None = None,
    ) -> None:
        super().__init__()
        self._settings = Settings(ping_interval, ping_timeout, close_timeout, max_size)
        self._curve = curve

    @classmethod
    def over(cls, connection: ZeroMQConnection) -> Self:
        """The server's end of a connection."""
        transport = cls()
        transport._connection = connection
        transport._life = connection.life
        return transport

    async def connect(
        self,
        url: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
        connect_timeout: float = 30.0,
    ) -> None:
        """Connect to a ``tcp://``, ``ipc://`` or ``inproc://`` URL. A checkpoint. Cancelled: as if it failed.

        At an inproc address nobody has to listen yet. Its tasks live in the block of ``async with
        transport``, else in the actor that calls, else in the system; raises NoSystem outside of all three,
        and what `Transport.connect` says.
        """
        TRANSPORT_MACHINE.next(self.state, TransportEvent.CONNECT)
        Address.parse(url, listening=False)
        if ssl_context is not None:
            raise InvalidSpec("ssl_context", ssl_context, "is of no use to ZeroMQ: give curve= instead")
        check_headers(headers)
        hello = Hello(
            VERSION, check_subprotocols(subprotocols), list(headers), WINDOW, self._settings.max_size
        )
        await self._open(
            url,
            connect_timeout,
            lambda _: Dealer.dial(url, hello, self._curve),
            lambda dealer, nursery: self._take_over(dealer, nursery, url),
        )

    def _take_over(self, dealer: Dealer, nursery: trio.Nursery, url: str) -> ZeroMQConnection:
        welcome = dealer.welcome
        connection = ZeroMQConnection(
            dealer.socket.send_nowait,
            settings=self._settings,
            life=self._life,
            window=welcome.window,
            max_size=welcome.max_size,
            subprotocol=welcome.subprotocol,
            peer=url,
            peer_names=() if self._curve is None else (self._curve.server_key,),
        )
        nursery.start_soon(dealer.live, connection)
        return connection
