"""A client's socket: connected, welcomed, and looked after for as long as its connection lives."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress

import attrs
import trio

from aip_trio.errors import ConnectFailed, HandshakeRefused, TransportError, ZeroMQFailed
from aip_trio.transport._codec import FrameFault
from aip_trio.transport._codes import ABNORMAL
from aip_trio.transport.zeromq._address import Address
from aip_trio.transport.zeromq._connection import ZeroMQConnection
from aip_trio.transport.zeromq._curve import CurveClient
from aip_trio.transport.zeromq._events import Closed, Disconnected, HandshakeFailed
from aip_trio.transport.zeromq._kind import Kind
from aip_trio.transport.zeromq._monitor import Monitor
from aip_trio.transport.zeromq._socket import ZeroMQSocket
from aip_trio.transport.zeromq._wire import Gone, Hello, Refused, Welcome, read, write

__all__ = ["LINGER", "QUEUE", "Dealer", "frame_limit"]

#: Messages that libzmq holds for one connection, each way: more than a window, and what goes beside it, has.
QUEUE = 4096
#: Seconds that the last words have to get out, when a socket is closed.
LINGER = 1.0
#: Seconds: a connection that was lost stays lost. libzmq's own word for never would drop what came and was
#: not read yet.
_NEVER = 6000.0
#: Bytes of a frame that is no message: a hello may be as long as that.
_LEAST_FRAME = 65536


def frame_limit(max_size: int) -> int:
    """Bytes of a frame beyond which libzmq is to end the connection: no honest peer sends one."""
    return max(max_size, _LEAST_FRAME)


@attrs.frozen(eq=False)
class Dealer:
    """A DEALER that is connected, and what the server has said. Whoever has it runs `live`."""

    socket: ZeroMQSocket
    welcome: Welcome
    _events: Monitor
    _resources: AsyncExitStack

    @classmethod
    async def dial(cls, url: str, hello: Hello, curve: CurveClient | None) -> Dealer:
        """Connect, and be welcomed. A checkpoint; set a deadline.

        Raises ConnectFailed, HandshakeRefused, InvalidUrl.
        """
        async with AsyncExitStack() as stack:
            socket = ZeroMQSocket(
                Kind.DEALER,
                send_limit=QUEUE,
                receive_limit=QUEUE,
                max_size=frame_limit(hello.max_size),
                linger=LINGER,
                reconnect=_NEVER,
                curve=curve,
            )
            await stack.enter_async_context(socket)
            try:
                events = await stack.enter_async_context(socket.monitor())
                await socket.connect(await _looked_up(url))
                await socket.send(write(hello))
                welcome = await _welcome(url, socket, events, hello)
            except BaseException:
                if url.startswith("inproc:"):  # nothing else tells a server there who has gone
                    with suppress(trio.WouldBlock, trio.ClosedResourceError, TransportError):
                        socket.send_nowait(write(Gone()))
                socket.close_now()  # a hello that is not answered is worth no waiting
                raise
            return cls(socket, welcome, events, stack.pop_all())

    async def live(self, connection: ZeroMQConnection) -> None:
        """The task of a connection, from its welcome to the end of its socket. Raises nothing."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read, connection)
                nursery.start_soon(self._watch, connection)
                await connection.run()
                nursery.cancel_scope.cancel()
        finally:
            if (
                connection.close_code == ABNORMAL
            ):  # nobody listens, as far as we know: it need not be waited for
                self.socket.close_now(LINGER)
            with trio.CancelScope(shield=True):  # takes LINGER at most
                await self._resources.aclose()
            connection.ended.set()

    async def _read(self, connection: ZeroMQConnection) -> None:  # noqa: ASYNC910 - not called from outside
        try:
            while True:
                for frames in await self.socket.receive_many():
                    connection.came(frames)
        except (ZeroMQFailed, trio.ClosedResourceError) as error:
            connection.broke(f"the socket failed: {error}")

    async def _watch(self, connection: ZeroMQConnection) -> None:  # noqa: ASYNC910 - not called from outside
        async for event in self._events:
            if isinstance(event, Disconnected):
                self._read_rest(connection)
                connection.broke("the connection broke, or the peer left without a goodbye")

    def _read_rest(self, connection: ZeroMQConnection) -> None:
        """What came before the end: no more than a window."""
        try:
            while not connection.over:
                connection.came(self.socket.receive_nowait())
        except (trio.WouldBlock, TransportError):
            pass


async def _looked_up(url: str) -> str:
    """The URL with an address in place of a name. Raises ConnectFailed.

    libzmq would ask in its one thread, and all connections of the process would wait for the answer. IPv4 is
    preferred, as it does.
    """
    address = Address.parse(url, listening=False)
    if address.scheme != "tcp" or address.ipv6:
        await trio.lowlevel.checkpoint()
        return url
    try:
        found = await trio.socket.getaddrinfo(address.host, address.port, type=trio.socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(url, f"its host is not known: {error}") from error
    hosts = {family: where[0] for family, _, _, _, where in reversed(found)}
    if trio.socket.AF_INET in hosts:
        return f"tcp://{hosts[trio.socket.AF_INET]}:{address.port}"
    return f"tcp://[{hosts[trio.socket.AF_INET6]}]:{address.port}"


async def _welcome(url: str, socket: ZeroMQSocket, events: Monitor, hello: Hello) -> Welcome:
    """The server's answer. Raises ConnectFailed, HandshakeRefused."""
    failure = ""

    async def watch() -> None:
        nonlocal failure
        async for event in events:
            match event:
                case HandshakeFailed(_, reason):
                    failure = f"what answers there speaks no ZeroMQ, or refuses to: {reason}"
                case Disconnected():
                    failure = failure or "it ends the connection"
                case Closed():
                    failure = "nobody listens there"
                case _:
                    continue
            if isinstance(event, (Disconnected, Closed)):
                break
        nursery.cancel_scope.cancel()

    frames: list[bytes] | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        frames = await socket.receive()
        nursery.cancel_scope.cancel()
    if frames is None:
        raise ConnectFailed(url, failure)
    try:
        answer = read(frames, hello.max_size)
    except FrameFault as fault:
        raise ConnectFailed(url, f"its answer is none: {fault.reason}") from fault
    if isinstance(answer, Refused):
        raise HandshakeRefused(url, answer.status, answer.reason)
    if not isinstance(answer, Welcome):
        raise ConnectFailed(url, f"its answer to a hello is a {type(answer).__name__}")
    if answer.subprotocol is not None and answer.subprotocol not in hello.subprotocols:
        raise ConnectFailed(url, f"its answer is subprotocol {answer.subprotocol[:64]!r}, not one asked for")
    return answer
