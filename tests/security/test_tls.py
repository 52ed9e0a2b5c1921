"""Certificates on both sides, and what is no TLS at a port that speaks nothing else."""

import json
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from aip_trio.endpoints import ConstellationEndpoint, DeviceClientEndpoint, DeviceServerEndpoint
from aip_trio.endpoints._profile import AgentProfile
from aip_trio.errors import ConnectFailed, InvalidSpec, LinkRefused, RegistrationRefused, TransportError
from aip_trio.protocol import LinkServer
from aip_trio.transport import ADAPTERS, WebSocketTransport, serve_websocket
from tests.endpoints.support import Worker, patient, quick, serving, until
from tests.security.attacker import attacker, head, message
from tests.security.certificates import Authority

pytestmark = pytest.mark.trio

OURS, FOREIGN = Authority(), Authority()


@asynccontextmanager
async def coming(
    server: DeviceServerEndpoint, context: ssl.SSLContext, client_id: str = "dev-1"
) -> AsyncGenerator[DeviceClientEndpoint]:
    """A device, which has to get in."""
    client = DeviceClientEndpoint(
        server.url, Worker(client_id), ssl_context=context, timeout=3, reconnection_strategy=quick(0)
    )
    await client.start()
    try:
        yield client
    finally:
        with trio.move_on_after(5, shield=True):
            await client.stop()


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_with_a_certificate_of_the_authority_one_gets_in(adapter: str) -> None:
    options = {"ssl_context": OURS.server(demands=True), "certificate_names_client": True}
    async with serving(adapter=adapter, **options) as server:
        assert server.url.startswith("wss://")
        async with coming(server, OURS.client("dev-1")):
            assert list(server.devices) == ["dev-1"]


@pytest.mark.parametrize(
    "make",
    [
        OURS.client,
        lambda: with_certificate_of(FOREIGN),
        lambda: with_certificate_of(Authority()),
    ],
    ids=["none", "foreign", "unheard of"],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_without_one_nobody_does(make: Callable[[], ssl.SSLContext], version: ssl.TLSVersion) -> None:
    context = make()
    context.maximum_version = version
    async with serving(ssl_context=OURS.server(demands=True)) as server:
        with pytest.raises(ConnectFailed) as raised:
            async with coming(server, context):
                pass
        assert "wants a certificate" in str(raised.value)
        await until(lambda: server.statistics().failed == 1)
        assert not server.devices


def with_certificate_of(authority: Authority) -> ssl.SSLContext:
    """Trusts ours, and shows one of another authority's."""
    context = OURS.client()
    authority.show(context, "dev-1")
    return context


async def test_a_server_with_a_certificate_of_a_foreign_authority_gets_no_client() -> None:
    async with serving(ssl_context=FOREIGN.server()) as server:
        with pytest.raises(ConnectFailed, match=r"certificate verify failed: .*; trust its authority"):
            async with coming(server, OURS.client()):
                pass


@pytest.mark.parametrize(
    ("names", "common_name", "client_id", "welcome"),
    [
        (("dev-1",), None, "dev-1", True),
        (("bench.example", "dev-1"), None, "dev-1", True),
        # Beside another name: without one trustme writes an empty list of them, which Python 3.13 refuses.
        (("bench.example",), "dev-1", "dev-1", True),
        (("dev-2",), "dev-2", "dev-1", False),
        (("*.example",), None, "dev-1.example", False),
        (("dev-1",), None, "DEV-1", False),
        (("dev-1",), None, "dev-11", False),
        (("dev-1",), None, "dev", False),
    ],
)
async def test_where_certificates_name_clients_the_id_has_to_be_in_ones_own(
    names: tuple[str, ...], common_name: str | None, client_id: str, welcome: bool
) -> None:
    options = {"ssl_context": OURS.server(demands=True), "certificate_names_client": True}
    async with serving(**options) as server:
        context = OURS.client(*names, common_name=common_name)
        if welcome:
            async with coming(server, context, client_id):
                assert list(server.devices) == [client_id]
        else:
            with pytest.raises(RegistrationRefused, match="certificate") as raised:
                async with coming(server, context, client_id):
                    pass
            assert all(name in str(raised.value) for name in names)
            assert server.statistics().refused == {"certificate": 1}


async def test_an_orchestrator_is_bound_to_its_certificate_too() -> None:
    options = {"ssl_context": OURS.server(demands=True), "certificate_names_client": True}
    async with serving(**options) as server, coming(server, OURS.client("dev-1")):
        for names, welcome in ((("planner@dev-1",), True), (("dev-1",), False)):
            context = OURS.client("bench.example", common_name=names[0])
            orch = ConstellationEndpoint(
                "planner", ssl_context=context, reconnection_strategy=quick(0), timeout=3
            )
            await orch.start()
            profile = AgentProfile(device_id="dev-1", server_url=server.url)
            if welcome:
                await orch.connect_to_device(profile)
            else:
                with pytest.raises(RegistrationRefused, match="certificate"):
                    await orch.connect_to_device(profile)
            await orch.stop()


async def test_names_without_a_demand_for_certificates_are_the_callers_mistake() -> None:
    await trio.lowlevel.checkpoint()
    for context in (None, OURS.server()):
        with pytest.raises(InvalidSpec, match="CERT_REQUIRED"):
            DeviceServerEndpoint(port=0, ssl_context=context, certificate_names_client=True)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        head(),
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000,
        b"\x15\x03\x03\x00\x02\x02\x28",  # an alert first
        b"\x17\x03\x03\x40\x00" + b"x" * 0x4000,  # data first
        b"\x80\x2e\x01\x00\x02" + b"\x00" * 42,  # as TLS was greeted in 1995
        bytes(range(256)) * 100,
    ],
    ids=lambda said: said[:8].hex() or "nothing",
)
async def test_what_is_no_tls_is_cut_off_and_nobody_else_notices(said: bytes) -> None:
    async with serving(ssl_context=OURS.server()) as server, coming(server, OURS.client()) as client:
        async with attacker(server.port) as it:
            await it.flood(said)
            await it.stream.send_eof()
            with trio.fail_after(2):
                await it.ended()
        await until(lambda: server.statistics().failed == 1)
        assert client.is_connected()


@asynccontextmanager
async def secured(server: DeviceServerEndpoint) -> AsyncGenerator[trio.SSLStream[trio.SocketStream]]:
    """A TLS connection whose handshake is done, and nothing more."""
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        tls = trio.SSLStream(stream, OURS.client(), server_hostname="127.0.0.1", https_compatible=True)
        await tls.do_handshake()
        yield tls


@pytest.mark.parametrize("where", ["before the request", "in the request", "registered"])
@pytest.mark.parametrize("how", ["goodbye", "half-close", "garbage"])
async def test_tls_that_ends_anywhere_ends_its_own_connection(where: str, how: str) -> None:
    async with (
        serving(ssl_context=OURS.server()) as server,
        coming(server, OURS.client("x"), "other") as other,
    ):
        async with secured(server) as tls:
            if where == "in the request":
                await tls.send_all(head()[:50])
            elif where == "registered":
                await tls.send_all(head())
                await tls.receive_some()
                await tls.send_all(message("register", client_id="dev-1"))
                await until(lambda: "dev-1" in server.devices)
            beneath = tls.transport_stream
            if how == "goodbye":
                await tls.aclose()
            elif how == "half-close":
                await beneath.send_eof()
            else:
                await beneath.send_all(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            with trio.fail_after(3):
                await until(lambda: server.statistics().connections == 1)
            assert list(server.devices) == ["other"]
        assert other.is_connected()


async def test_the_address_of_a_tls_connection_is_known() -> None:
    async with serving(ssl_context=OURS.server(), local=True) as server, coming(server, OURS.client()):
        assert server.statistics().connections == 1


async def test_the_names_of_a_peer_are_those_of_its_certificate() -> None:
    async with serving(ssl_context=OURS.server(demands=True)) as server:
        client = WebSocketTransport()
        assert not client.peer_names
        await client.connect(
            server.url, ssl_context=OURS.client("dev-1", "bench.example", common_name="bench")
        )
        assert set(client.peer_names) == {"localhost"}
        await client.close()


async def test_plain_websocket_at_a_tls_port_says_so() -> None:
    async with serving(ssl_context=OURS.server()) as server:
        client = WebSocketTransport()
        with pytest.raises(TransportError):
            await client.connect(server.url.replace("wss:", "ws:"), connect_timeout=3)


async def test_a_link_is_resumed_with_the_certificate_that_it_began_with() -> None:
    """Who has stolen its secret, and has a certificate of his own, gets what a wrong secret gets."""
    async with patient():
        links = LinkServer(window=30)
        refused: list[str] = []

        async def carry(physical: WebSocketTransport) -> None:
            try:
                link, _ = await links.accept(physical)
            except LinkRefused as error:
                refused.append(error.reason)
                await physical.close()
            else:
                await link.carry(physical)

        server = await serve_websocket(
            carry, ssl_context=OURS.server(demands=True), subprotocols=["aip.v2+json"]
        )
        hello: dict[str, object] = {"t": "hello"}
        for name, answer in (("dev-1", "welcome"), ("dev-2", "gone"), ("dev-1", "welcome")):
            client = WebSocketTransport()
            await client.connect(server.url, ssl_context=OURS.client(name), subprotocols=["aip.v2+json"])
            await client.send(json.dumps(hello).encode())
            told = json.loads(await client.receive())
            assert told["t"] == answer
            if not hello.get("session"):
                hello |= {"session": told["session"], "secret": told["secret"], "seen": 0}
            await client.drop()
        assert refused == ["another client's certificate"]
        await server.close()
