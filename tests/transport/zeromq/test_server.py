"""A server over ZeroMQ: whom it lets in, and what a peer can do to it and to the others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from socket import AF_INET6, EAI_NONAME, SOCK_STREAM, gaierror
from typing import Any

import pytest
import trio
from trio.abc import HostnameResolver

from aip_trio.errors import (
    AddressInUse,
    ConnectFailed,
    ConnectionLost,
    HandshakeRefused,
    InvalidSpec,
    InvalidUrl,
    MessageTooLarge,
    NoSystem,
    PeerSilent,
    PeerTooSlow,
    TransportError,
)
from aip_trio.transport import Handshake, Refusal, TransportState
from aip_trio.transport._codec import Closed, Pinged, Ponged
from aip_trio.transport.zeromq import (
    CurveClient,
    CurveKeys,
    CurveServer,
    Disconnected,
    EventsLost,
    Kind,
    MonitorEvent,
    ZeroMQServer,
    ZeroMQSocket,
    ZeroMQTransport,
    serve_zeromq,
)
from aip_trio.transport.zeromq._flow import WINDOW, weight
from aip_trio.transport.zeromq._wire import (
    VERSION,
    Data,
    Gone,
    Hello,
    Saying,
    Taken,
    Welcome,
    read,
    write,
)
from tests.transport.zeromq.ends import connection_of, folder
from tests.transport.zeromq.relay import Relay

pytestmark = pytest.mark.trio

HELLO = Hello(VERSION, [], [], WINDOW, 10_000_000)


class Served:
    """A server whose handlers echo, until ``hold`` is set: then they wait."""

    def __init__(self) -> None:
        self.transports: list[ZeroMQTransport] = []
        self.ends: list[TransportError] = []
        self.hold = False
        self.server: ZeroMQServer

    async def first(self) -> ZeroMQTransport:
        """The first connection, once its handler runs."""
        while not self.transports:  # noqa: ASYNC110 - nobody is told
            await trio.sleep(0.001)
        return self.transports[0]

    async def handle(self, transport: ZeroMQTransport) -> None:
        self.transports.append(transport)
        try:
            while not self.hold:
                await transport.send(await transport.receive())
            await transport.wait_closed()
            await transport.receive()
        except TransportError as error:
            self.ends.append(error)


@asynccontextmanager
async def serving(url: str = "tcp://127.0.0.1:0", **options: Any) -> AsyncGenerator[Served]:
    served = Served()
    options.setdefault("close_timeout", 1.0)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            served.server = await serve_zeromq(served.handle, url, nursery=nursery, **options)
            yield served
            await served.server.close()


class Raw:
    """A peer that says what it likes."""

    def __init__(self, socket: ZeroMQSocket) -> None:
        self.socket = socket

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, hello: bool = True) -> AsyncGenerator[Raw]:
        async with ZeroMQSocket(Kind.DEALER, send_limit=0, receive_limit=0, linger=0.2) as socket:
            await socket.connect(url)
            raw = cls(socket)
            if hello:
                await raw.say(HELLO)
                assert isinstance(await raw.hear(), Welcome)
            yield raw

    async def say(self, saying: Saying) -> None:
        await self.socket.send(write(saying))

    async def hear(self) -> Saying:
        return read(await self.socket.receive(), 10_000_000)


async def works(url: str) -> None:
    """A connection to this server carries messages."""
    async with ZeroMQTransport() as client:
        await client.connect(url)
        await client.send(b"ping")
        assert await client.receive() == b"ping"


async def until_gone(server: ZeroMQServer) -> None:
    while server.statistics().connections:  # noqa: ASYNC110 - nobody is told
        await trio.sleep(0.005)


# Whom it lets in


async def test_a_client_is_told_what_was_agreed_on_and_the_handler_what_it_asked_for() -> None:
    asked: list[Handshake] = []

    def admit(handshake: Handshake) -> Refusal | None:
        asked.append(handshake)
        return None

    async with serving(subprotocols=["b", "a"], admit=admit) as served, ZeroMQTransport() as client:
        await client.connect(
            served.server.url, subprotocols=["a", "b"], headers=[("Authorization", "Bearer x")]
        )
        assert client.subprotocol == "b"
        assert client.peer == served.server.url
        (handshake,) = asked
        assert handshake.header("authorization") == "Bearer x"
        assert handshake.subprotocols == ("a", "b")
        host, _, port = handshake.peer.rpartition(":")
        assert host == "127.0.0.1"
        assert int(port) >= 0
        await client.send(b"x")
        await client.receive()
        assert [transport.subprotocol for transport in served.transports] == ["b"]


def who_are_you(_: Handshake) -> Refusal | None:
    return Refusal(401, "who are you")


def crash(_: Handshake) -> Refusal | None:
    raise ZeroDivisionError("planted")


@pytest.mark.parametrize(
    ("options", "status", "rule"),
    [
        ({"admit": who_are_you}, 401, "admit"),
        ({"admit": crash}, 500, "admit"),
        ({"max_connections": 1}, 503, "connections"),
        ({"max_per_address": 1, "uncounted_addresses": ()}, 429, "connections_per_address"),
    ],
    ids=["admit", "crash", "max", "address"],
)
async def test_who_is_not_let_in_is_told_why(options: dict[str, Any], status: int, rule: str) -> None:
    async with serving(**options) as served, ZeroMQTransport() as first, ZeroMQTransport() as client:
        if rule != "admit":
            await first.connect(served.server.url)
        with pytest.raises(HandshakeRefused) as raised:
            await client.connect(served.server.url)
        assert raised.value.status == status
        assert client.state is TransportState.ERROR
        assert served.server.statistics().refusals == {rule: 1}


async def test_a_server_that_is_drained_lets_nobody_in_and_keeps_who_is_there() -> None:
    async with serving() as served, ZeroMQTransport() as first, ZeroMQTransport() as client:
        await first.connect(served.server.url)
        await served.server.drain()
        with pytest.raises(HandshakeRefused, match="going away"):
            await client.connect(served.server.url)
        await first.send(b"still here")
        assert await first.receive() == b"still here"


async def test_a_server_that_closes_says_goodbye_to_everybody() -> None:
    async with serving() as served, ZeroMQTransport() as client:
        await client.connect(served.server.url)
        await served.server.close(1001, "server stopping")
        with pytest.raises(ConnectionLost, match="server stopping") as raised:
            await client.receive()
        assert raised.value.code == 1001


async def test_where_nobody_listens_a_client_is_told_so_at_once() -> None:
    async with folder() as path:
        for url in ("tcp://127.0.0.1:1", f"ipc://{path}/nobody"):
            async with ZeroMQTransport() as client:
                with trio.fail_after(5), pytest.raises(ConnectFailed, match="nobody listens"):
                    await client.connect(url)


async def test_a_host_that_is_not_known_is_told_at_once_and_holds_up_nobody() -> None:
    asked: list[object] = []

    class Names(HostnameResolver):
        async def getaddrinfo(self, host: bytes | None, *_: Any, **__: Any) -> Any:
            asked.append(host)
            if host == b"slow.example":
                await trio.sleep_forever()
            if host == b"six.example":
                return [(AF_INET6, SOCK_STREAM, 6, "", ("::1", 1, 0, 0))]
            raise gaierror(EAI_NONAME, "no such name")

        async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
            raise NotImplementedError

    trio.socket.set_custom_hostname_resolver(Names())
    async with ZeroMQTransport() as transport:
        with pytest.raises(ConnectFailed, match=r"no\.example:5.* not known: .*no such name"):
            await transport.connect("tcp://no.example:5")
        transport.reset()
        with pytest.raises(ConnectFailed, match="no answer within"):
            await transport.connect("tcp://slow.example:5", connect_timeout=0.05)
        transport.reset()
        with pytest.raises(ConnectFailed, match=r"six\.example:1: nobody listens there"):
            await transport.connect("tcp://six.example:1")
    assert asked == [b"no.example", b"slow.example", b"six.example"]


async def test_what_speaks_something_else_is_no_server() -> None:
    async def answer(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 3)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(trio.serve_listeners, answer, [listener])
        port = listener.socket.getsockname()[1]
        async with ZeroMQTransport() as client:
            with trio.fail_after(5), pytest.raises(ConnectFailed):
                await client.connect(f"tcp://127.0.0.1:{port}")
        nursery.cancel_scope.cancel()


async def test_a_router_that_answers_something_else_is_no_server() -> None:
    async with ZeroMQSocket(Kind.ROUTER) as router:
        url = await router.bind("tcp://127.0.0.1:0")
        unasked = write(Welcome(VERSION, "aip.v9", WINDOW, 1000))
        for answer in ([b"nonsense"], write(Pinged(b"")), unasked):
            async with trio.open_nursery() as nursery, ZeroMQTransport() as client:

                async def respond(answer: list[bytes] = answer) -> None:
                    identity, *_ = await router.receive()
                    await router.send([identity, *answer])

                nursery.start_soon(respond)
                with pytest.raises(ConnectFailed, match="its answer"):
                    await client.connect(url, subprotocols=["aip.v1"])


async def test_who_does_not_answer_is_waited_for_no_longer_than_asked() -> None:
    async with ZeroMQSocket(Kind.ROUTER) as router, ZeroMQTransport() as client:
        url = await router.bind("inproc://mute")
        with pytest.raises(ConnectFailed, match="connect_timeout"):
            await client.connect(url, connect_timeout=0.05)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1", "tcp://127.0.0.1", "tcp://*:1", 3], ids=repr)
async def test_urls_that_are_none(url: object) -> None:
    async with ZeroMQTransport() as client:
        with pytest.raises(InvalidUrl):
            await client.connect(url)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert client.state is TransportState.DISCONNECTED


async def test_misuse_is_told() -> None:
    async def handler(transport: ZeroMQTransport) -> None:
        await transport.receive()

    with pytest.raises(NoSystem):
        await serve_zeromq(handler, "inproc://nowhere")
    with pytest.raises(NoSystem):
        await ZeroMQTransport().connect("inproc://nowhere")
    async with trio.open_nursery() as nursery:
        bad: list[dict[str, Any]] = [{"max_connections": 0}, {"handshake_timeout": 0}, {"max_size": 0}]
        for options in bad:
            with pytest.raises(InvalidSpec):
                await serve_zeromq(handler, "inproc://x", nursery=nursery, **options)
        first = await serve_zeromq(handler, "tcp://127.0.0.1:0", nursery=nursery)
        with pytest.raises(AddressInUse):
            await serve_zeromq(handler, first.url, nursery=nursery)
        await first.close()
        again = await serve_zeromq(handler, first.url, nursery=nursery)  # it is free at once
        await again.close()


async def test_a_nursery_that_is_closed_leaves_no_listener() -> None:
    async with trio.open_nursery() as nursery:
        pass
    async with ZeroMQSocket(Kind.PULL) as free:
        url = await free.bind("tcp://127.0.0.1:0")
    with pytest.raises(RuntimeError, match="closed"):
        await serve_zeromq(Served().handle, url, nursery=nursery)
    async with serving(url) as served:
        assert served.server.url == url


async def test_curve_lets_in_who_has_a_key_and_says_whose() -> None:
    server_keys, mine, stranger = CurveKeys.generate(), CurveKeys.generate(), CurveKeys.generate()
    async with serving(curve=CurveServer(server_keys.secret, [mine.public])) as served:
        async with ZeroMQTransport(curve=CurveClient(server_keys.public, mine.secret)) as client:
            await client.connect(served.server.url)
            await client.send(b"secret")
            assert await client.receive() == b"secret"
            assert client.peer_names == (server_keys.public,)
            assert served.transports[0].peer_names == (mine.public,)
        for curve in (CurveClient(server_keys.public, stranger.secret), None):
            async with ZeroMQTransport(curve=curve) as other:
                with trio.fail_after(5), pytest.raises(ConnectFailed):
                    await other.connect(served.server.url)


# What a peer can do


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([b"nonsense"], 1002),
        ([b""], 1002),
        ([b"t"], 1002),
        ([b"t", b"\xff"], 1007),
        ([b"t", b"x", b"y"], 1002),
        ([b"b"] * 10_000, 1002),
        (write(HELLO), 1002),
        (write(Welcome(VERSION, None, WINDOW, 1)), 1002),
        (write(Taken(b"12345678")), 1002),
        ([b"b", b"x" * 2001], 1009),
        ([b"o" + (5000).to_bytes(8)], 1009),
        ([b"c\x00\x00", b""], 1002),
    ],
    ids=range(12),
)
async def test_who_breaks_the_rules_is_told_and_loses_its_connection_alone(
    frames: list[bytes], code: int
) -> None:
    async with serving(max_size=2000) as served, Raw.open(served.server.url) as raw:
        async with ZeroMQTransport() as bystander:
            await bystander.connect(served.server.url)
            await raw.socket.send(frames)
            goodbye = await raw.hear()
            assert isinstance(goodbye, Closed)
            assert goodbye.code == code
            assert goodbye.reason
            await bystander.send(b"unharmed")
            assert await bystander.receive() == b"unharmed"
        await until_gone(served.server)
        (end, _) = served.ends
        assert isinstance(end, MessageTooLarge if code == 1009 else ConnectionLost)
        assert "WebSocket" not in str(end)


@pytest.mark.parametrize(
    "frames", [[b"nonsense"], write(Data(b"x", True, b"")), write(Pinged(b"x"))], ids=range(3)
)
async def test_who_says_no_hello_has_no_connection(frames: list[bytes]) -> None:
    async with serving() as served, Raw.open(served.server.url, hello=False) as raw:
        await raw.socket.send(frames)
        goodbye = await raw.hear()
        assert isinstance(goodbye, Closed)
        assert goodbye.code == 1002
        assert served.server.statistics().failed == 1
        assert served.server.statistics().connections == 0
        await raw.say(HELLO)
        assert isinstance(await raw.hear(), Welcome)


async def test_hellos_that_are_none_take_no_room_however_many() -> None:
    async with serving(max_connections=2) as served, Raw.open(served.server.url, hello=False) as raw:
        for _ in range(5000):
            await raw.socket.send([b"H", b'{"version":1,'])
        await works(served.server.url)
        while served.server.statistics().failed < 5000:  # noqa: ASYNC110 - nobody is told
            await trio.sleep(0.01)
        await until_gone(served.server)


async def test_who_only_begins_to_speak_zeromq_is_hung_up_on() -> None:
    async with serving(handshake_timeout=0.2) as served:
        host, _, port = served.server.url.removeprefix("tcp://").rpartition(":")
        streams = [await trio.open_tcp_stream(host, int(port)) for _ in range(100)]
        for stream in streams:
            await stream.send_all(b"\xff\0\0\0")
        await works(served.server.url)
        with trio.fail_after(5):
            for stream in streams:
                async with stream:
                    while await stream.receive_some():
                        pass


async def test_who_sends_more_than_it_may_is_closed_and_what_it_sent_is_bounded() -> None:
    async with serving() as served:
        served.hold = True
        async with Raw.open(served.server.url) as raw:
            for _ in range(100):
                await raw.say(Data(b"x" * 100_000, False, b""))
            while isinstance(goodbye := await raw.hear(), Taken):
                pass
            assert isinstance(goodbye, Closed)
            assert goodbye.code == 1008
            held = connection_of(await served.first())._inflow.held
            assert held <= WINDOW + weight(100_000)


async def test_a_peer_that_takes_nothing_holds_up_nobody_else_and_is_closed_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aip_trio.transport.zeromq._sender._PATIENCE", 0.3)
    async with serving(queued_bytes=1_000_000) as served, Raw.open(served.server.url) as raw:
        slow = await served.first()
        errors: list[BaseException] = []

        async def flood() -> None:
            try:
                while True:
                    await slow.send(b"x" * 100_000)
            except TransportError as error:
                errors.append(error)

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(flood)
            async with ZeroMQTransport() as fast:
                await fast.connect(served.server.url)
                for number in range(50):
                    await fast.send(b"%d" % number)
                    assert await fast.receive() == b"%d" % number
        assert errors
        assert {type(error) for error in errors} == {PeerTooSlow}
        last: Saying = Gone()
        while not isinstance(last, Closed):
            last = await raw.hear()
        assert last.code == 1008


async def test_a_peer_that_pings_without_end_and_never_listens_is_lost() -> None:
    async with serving(ping_interval=0.05, ping_timeout=0.3) as served, Raw.open(served.server.url) as raw:
        async with trio.open_nursery() as nursery:

            async def talk() -> None:
                while True:
                    await raw.say(Pinged(b""))
                    await trio.sleep(0.01)

            nursery.start_soon(talk)
            await until_gone(served.server)
            nursery.cancel_scope.cancel()
        assert [type(end) for end in served.ends] == [PeerSilent]


async def test_a_peer_that_vanished_is_noticed_by_its_silence() -> None:
    async with (
        serving(ping_interval=0.05, ping_timeout=0.2) as served,
        Relay.open(served.server.url) as relay,
    ):
        async with ZeroMQTransport(ping_interval=0.05, ping_timeout=0.2, close_timeout=0.1) as client:
            await client.connect(relay.url)
            relay.stall()
            with pytest.raises(PeerSilent):
                await client.receive()
            await until_gone(served.server)
            assert [type(end) for end in served.ends] == [PeerSilent]
            assert client.state is TransportState.ERROR


async def test_pings_keep_a_quiet_connection_alive() -> None:
    options: dict[str, Any] = {"ping_interval": 0.02, "ping_timeout": 0.15}
    async with serving(**options) as served, ZeroMQTransport(**options) as client:
        await client.connect(served.server.url)
        await trio.sleep(0.4)
        await client.send(b"alive")
        assert await client.receive() == b"alive"


async def test_a_client_that_leaves_without_a_word_is_noticed_at_once() -> None:
    async with serving() as served, folder() as path:
        async with serving(f"ipc://{path}/x") as other:
            for each in (served, other):
                async with Raw.open(each.server.url):
                    await trio.sleep(0.01)
                with trio.fail_after(2):
                    await until_gone(each.server)
                (end,) = each.ends
                assert isinstance(end, ConnectionLost)
                assert end.code == 1006


async def test_where_the_monitor_has_missed_something_the_living_stay_and_the_dead_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as served, ZeroMQTransport() as living:
        await living.connect(served.server.url)
        seen = served.server._seen
        monkeypatch.setattr(served.server, "_seen", no_disconnection(seen))
        async with Raw.open(served.server.url):
            assert served.server.statistics().connections == 2
        await trio.sleep(0.1)
        assert served.server.statistics().connections == 2
        seen(EventsLost(1))
        with trio.fail_after(5):
            while served.server.statistics().connections > 1:  # noqa: ASYNC110 - nobody is told
                await trio.sleep(0.005)
        await living.send(b"alive")
        assert await living.receive() == b"alive"
        assert len(served.server._numbers) == 1


def no_disconnection(seen: Callable[[MonitorEvent], None]) -> Callable[[MonitorEvent], None]:
    def left_out(event: MonitorEvent) -> None:
        if not isinstance(event, Disconnected):
            seen(event)

    return left_out


async def test_who_says_goodbye_and_does_not_wait_for_the_answer_has_said_it_all_the_same() -> None:
    async with serving() as served:
        for _ in range(10):
            async with Raw.open(served.server.url) as raw:
                await raw.say(Closed(1001, "in a hurry"))
            with trio.fail_after(5):
                await until_gone(served.server)
        assert [(end.code, end.reason) for end in served.ends if isinstance(end, ConnectionLost)] == [
            (1001, "in a hurry")
        ] * 10


async def test_a_goodbye_that_is_not_answered_is_waited_for_no_longer_than_close_timeout() -> None:
    async with serving(close_timeout=0.1) as served, Raw.open(served.server.url) as raw:
        transport = await served.first()
        await transport.close(1001, "bye")
        assert transport.close_code == 1006
        assert isinstance(await raw.hear(), Closed)
        assert isinstance(await raw.hear(), Gone)
        await raw.say(Ponged(b""))  # what comes now is ignored
        await works(served.server.url)


async def test_a_handler_that_crashes_is_closed_with_1011_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: ZeroMQTransport) -> None:
        raise ZeroDivisionError("planted")

    async with trio.open_nursery() as nursery, ZeroMQTransport() as client:
        server = await serve_zeromq(fail, "inproc://crashing", nursery=nursery)
        await client.connect(server.url)
        with pytest.raises(ConnectionLost) as raised:
            await client.receive()
        assert raised.value.code == 1011
        await until_gone(server)
        assert server.statistics().crashed == 1
        assert "planted" in caplog.text
        await server.close()


async def test_a_message_larger_than_the_peer_takes_is_not_even_sent() -> None:
    async with serving(max_size=70_000) as served, ZeroMQTransport() as client:
        await client.connect(served.server.url)
        await client.send(b"x" * 1_000_000)
        with pytest.raises(ConnectionLost) as raised:
            await client.receive()
        assert raised.value.code == 1009
        await until_gone(served.server)
        (end,) = served.ends
        assert isinstance(end, MessageTooLarge)
        assert (end.size, end.limit) == (1_000_000, 70_000)
