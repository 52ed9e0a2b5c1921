"""A ZeroMQ socket, driven by Trio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import trio
import zmq

from aip_trio.errors import WrongKind
from aip_trio.transport.zeromq._address import Address, refusal
from aip_trio.transport.zeromq._context import current_home
from aip_trio.transport.zeromq._curve import Curve, CurveServer
from aip_trio.transport.zeromq._fault import closed, named
from aip_trio.transport.zeromq._ipc import ListeningFile
from aip_trio.transport.zeromq._kind import Kind
from aip_trio.transport.zeromq._monitor import Feed, Monitor
from aip_trio.transport.zeromq._options import Options
from aip_trio.transport.zeromq._traffic import Traffic
from aip_trio.transport.zeromq._zap import current_doorkeeper

__all__ = ["ZeroMQSocket"]

#: Seconds that `close` waits for libzmq beyond ``linger``.
_CLOSING = 1.0


class ZeroMQSocket(Traffic):
    """Sends and receives messages of one or more frames, which are bytes; any number of tasks may do either.

    Used as ``async with ZeroMQSocket(Kind.DEALER) as socket:``, or closed by `close`. It lives in one run of
    Trio, and shares ``inproc://`` addresses with the other sockets of that run.

    - ``send_limit``, ``receive_limit``: messages that wait for each peer, or from each; 0: any number. What
      sending does then is the kind's: `Kind.when_full`.
    - ``max_size``: bytes of a frame; a peer that sends a larger one is disconnected.
    - ``linger``: seconds that what waits to be sent has when the socket is closed.
    - ``routing_id``: this side's name at a ROUTER; without one the ROUTER gives it one for each connection.
    - ``heartbeat``: seconds between libzmq's own pings; who sends nothing for ``heartbeat_timeout`` seconds
      (twice ``heartbeat``, unless given) is disconnected. None: TCP alone notices a peer that vanished.
    - ``reconnect``: seconds until a connection that was lost, or not made, is tried again, doubled each time
      up to ``reconnect_max``; None: never.
    - ``immediate``: what is sent waits for a connection that is there, and not for one that may come.
    - ``no_drop`` (PUB, XPUB): wait for the slowest subscriber, where a message would be left out for it.
    - ``handover`` (ROUTER): a new connection with the name of an old one takes its place; else it is ignored.
    - ``curve``: the keys, see `CurveServer` and `CurveClient`.
    - ``options``: what else libzmq has, by its numbers (``zmq.TOS``), in bytes and milliseconds as it counts.

    Raises InvalidSpec, WrongKind, CurveMissing, ZeroMQFailed.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        send_limit: int = 1000,
        receive_limit: int = 1000,
        max_size: int = 104857600,
        linger: float = 1.0,
        routing_id: bytes = b"",
        heartbeat: float | None = None,
        heartbeat_timeout: float | None = None,
        reconnect: float | None = 0.1,
        reconnect_max: float | None = None,
        immediate: bool = False,
        no_drop: bool = False,
        handover: bool = False,
        curve: Curve | None = None,
        options: Mapping[int, int | bytes] | None = None,
    ) -> None:
        checked = Options(
            send_limit=send_limit,
            receive_limit=receive_limit,
            max_size=max_size,
            linger=linger,
            routing_id=routing_id,
            heartbeat=heartbeat,
            heartbeat_timeout=heartbeat_timeout,
            reconnect=reconnect,
            reconnect_max=reconnect_max,
            immediate=immediate,
            no_drop=no_drop,
            handover=handover,
            others=options or {},
        )
        checked.check(kind)
        self._linger = linger
        self._door: str | None = None
        self._files: dict[str, ListeningFile] = {}
        self._names: set[str] = set()  # inproc:// addresses that it listens at
        self._leaves_process = False  # whether libzmq's thread has connections or listeners of it
        try:
            socket = current_home().new_socket(kind)
        except zmq.ZMQError as error:
            raise named(error, kind, "socket") from None
        self._feed = Feed(socket)
        super().__init__(kind, socket, picky=kind is Kind.ROUTER or no_drop)
        try:
            checked.apply(kind, socket)
            if isinstance(curve, CurveServer):
                self._door = current_doorkeeper().open(curve)
                curve.set_up(socket, self._door)
            elif curve is not None:
                curve.set_up(socket)
        except BaseException:
            self.close_now()
            raise

    # Addresses

    async def bind(self, url: str) -> str:
        """Listen at an address too. A checkpoint. Returns it, with the port that was picked for ``*``.

        ``ipc://``: the file is this user's alone, and removed at the end. Raises InvalidUrl, AddressInUse,
        CannotListen.
        """
        await trio.lowlevel.checkpoint()
        address = Address.parse(url, listening=True)
        if address.scheme == "ipc" and address.host != "*" and not address.host.startswith("@"):
            self._listen_at_file(address)
        else:
            self._call(lambda: self._socket.bind(address.wire), address, listening=True)
        if address.scheme == "inproc":
            self._names.add(address.wire)
            return address.wire  # of long names libzmq tells nothing
        endpoint = self._socket.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(endpoint, bytes)
        return endpoint.decode()

    def _listen_at_file(self, address: Address) -> None:
        file = ListeningFile.make(address.url, address.host)
        try:
            self._socket.setsockopt(zmq.USE_FD, file.descriptor)
            try:
                self._call(lambda: self._socket.bind(address.wire), address, listening=True)
            finally:
                self._socket.setsockopt(zmq.USE_FD, -1)
        except BaseException:
            file.remove()
            raise
        self._files[address.url] = file

    async def unbind(self, url: str) -> None:
        """Listen no more at what `bind` has returned; connections stay. A checkpoint. Raises InvalidUrl."""
        await trio.lowlevel.checkpoint()
        address = Address.parse(url, listening=True)
        self._call(lambda: self._socket.unbind(address.wire), address)
        self._names.discard(address.wire)
        if (file := self._files.pop(address.url, None)) is not None:
            file.remove()

    async def connect(self, url: str) -> None:
        """Connect to an address, now or whenever somebody listens there. A checkpoint. Raises InvalidUrl."""
        await trio.lowlevel.checkpoint()
        address = Address.parse(url, listening=False)
        self._call(lambda: self._socket.connect(address.wire), address)

    async def disconnect(self, url: str) -> None:
        """Undo `connect`; what waits to be sent there is lost. A checkpoint. Raises InvalidUrl."""
        await trio.lowlevel.checkpoint()
        address = Address.parse(url, listening=False)
        self._call(lambda: self._socket.disconnect(address.wire), address)

    def _call(self, call: Callable[[], object], address: Address, *, listening: bool = False) -> None:
        if self.closed:
            raise closed()
        try:
            if address.ipv6:
                self._socket.setsockopt(zmq.IPV6, 1)
            call()
            self._leaves_process |= address.scheme != "inproc"
        except zmq.ZMQError as error:
            raise refusal(error, address, listening=listening) from None
        finally:
            self._readiness.look()

    def subscribe(self, prefix: bytes) -> None:
        """SUB alone: receive messages whose first frame begins like this. Raises WrongKind."""
        self._choose(zmq.SUBSCRIBE, prefix)

    def unsubscribe(self, prefix: bytes) -> None:
        """SUB alone: undo one `subscribe`. Raises WrongKind."""
        self._choose(zmq.UNSUBSCRIBE, prefix)

    def _choose(self, option: int, prefix: bytes) -> None:
        if self.kind is not Kind.SUB:
            raise WrongKind(self.kind.name, "subscribe", "take SUB")
        if self.closed:
            raise closed()
        self._socket.setsockopt(option, prefix)
        self._readiness.look()

    # Life

    def monitor(self, *, limit: int = 1000) -> Monitor:
        """The events of its connections from now on: ``async with socket.monitor() as events:``.

        ``limit``: events that wait to be taken; the oldest are left out beyond it.
        """
        return Monitor(self._feed, limit)

    async def close(self, linger: float | None = None) -> None:
        """Close it, and wait until libzmq has nothing left of it. A checkpoint.

        What waits to be sent has ``linger`` seconds, the socket's own unless given. The addresses that it
        listened at are free again. Cancelled, it is closed all the same, at once; what waits is dropped,
        unless its seconds had begun.
        """
        if self.closed:
            await trio.lowlevel.checkpoint()
            return
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
        except trio.Cancelled:
            self.close_now()
            raise
        seconds = self._linger if linger is None else linger
        if not self._leaves_process or not self._feed.try_start():
            # Inside the process an end comes when the other socket is used next, which may be never.
            self.close_now(seconds)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        self.close_now(seconds)
        with trio.move_on_after(seconds + _CLOSING):
            await self._feed.ended.wait()

    def close_now(self, linger: float = 0.0) -> None:
        """Close it. What waits to be sent has ``linger`` seconds more, in the background."""
        if not self.closed:
            for name in self._names:
                self._socket.unbind(name)  # to close would free them, but later
        self._names.clear()
        super().close_now(linger)
        if self._door is not None:
            current_doorkeeper().shut(self._door)
        for file in self._files.values():
            file.remove()
        self._files.clear()

    async def __aenter__(self) -> Self:
        try:
            await trio.lowlevel.checkpoint()
        except BaseException:  # the block is not entered, and nobody else would close it
            self.close_now()
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()  # noqa: ASYNC102 - it is closed all the same when this is cancelled
