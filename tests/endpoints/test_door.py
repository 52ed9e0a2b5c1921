"""Who comes in: token, Origin, Host, path, this machine alone, and as many as the limits say."""

import pytest
import trio
from trio_websocket import ConnectionRejected

from aip_trio.actors import open_system
from aip_trio.actors._groups import bare
from aip_trio.endpoints import DeviceServerEndpoint, Limits, ServerState
from aip_trio.endpoints.server._listener import Door
from aip_trio.errors import AddressInUse, EndpointNotRunning
from aip_trio.transport import Handshake
from tests.endpoints.peer import device, orchestrator, peer
from tests.endpoints.support import serving, until


async def status(url: str, *headers: tuple[str, str]) -> int:
    """What a handshake is answered with."""
    try:
        async with peer(url, headers=headers):
            return 101
    except BaseExceptionGroup as group:
        error = bare(group)
        assert isinstance(error, ConnectionRejected)
        return error.status_code


@pytest.mark.trio
async def test_without_the_token_there_is_401_and_with_it_a_welcome() -> None:
    async with serving(token="s3cret") as server:
        assert await status(server.url) == 401
        for wrong in ("wrong", "s3cre", "s3crett", "é"):
            assert await status(server.url, ("Authorization", f"Bearer {wrong}")) == 401
        for wrong in ("s3cret", "Basic s3cret", "Bearer"):
            assert await status(server.url, ("Authorization", wrong)) == 401
        async with peer(server.url, headers=[("Authorization", "Bearer s3cret")]) as client:
            await client.register("dev-1")
            assert list(server.devices) == ["dev-1"]
        assert "s3cret" not in repr(server._door)


@pytest.mark.trio
async def test_browsers_pages_and_foreign_names_for_this_machine_are_refused() -> None:
    async with serving() as server:
        assert await status(server.url, ("Origin", "https://evil.example")) == 403
        assert await status(server.url, ("Origin", "null")) == 403
        assert await status(server.url.replace("/ws", "/other")) == 404
        async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
            await stream.send_all(
                b"GET /ws HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            assert b" 403 " in await stream.receive_some(1000)
        assert await status(server.url) == 101


@pytest.mark.trio
async def test_a_refused_handshake_is_no_client() -> None:
    async with serving(token="s3cret", limits=Limits(connections=1)) as server:
        for _ in range(3):
            assert await status(server.url) == 401
        assert await status(server.url, ("Authorization", "Bearer s3cret")) == 101


@pytest.mark.parametrize(
    ("address", "welcome"),
    [
        ("127.0.0.1:5", True),
        ("127.8.8.8:5", True),
        ("[::1]:5", True),
        ("192.168.0.7:5", False),
        ("unknown", False),
    ],
)
def test_a_local_server_takes_clients_of_its_own_machine_alone(address: str, welcome: bool) -> None:
    for local in (True, False):
        door = Door(
            host="0.0.0.0",
            port=0,
            path="/ws",
            token=None,
            local=local,
            ssl_context=None,
            ping_interval=1,
            ping_timeout=1,
            drain=0,
        )
        refusal = door.admit(Handshake("/ws", "", (), (), address))
        assert (refusal is None) is (welcome or not local)


@pytest.mark.trio
async def test_a_full_server_refuses_the_next_client_and_says_so() -> None:
    async with serving(limits=Limits(clients=2)) as server, device(server.url):
        async with orchestrator(server.url) as orch:
            async with peer(server.url) as third:
                await third.send("register", client_id="dev-3")
                assert "2 clients" in await third.refused(closed=True)
            await orch.heartbeat()
        await until(lambda: len(server._hub.directory.clients) == 1)
        async with device(server.url, "dev-3") as third:
            await third.heartbeat()


@pytest.mark.trio
async def test_a_full_server_lets_a_newcomer_replace_its_own_ghost() -> None:
    async with serving(limits=Limits(clients=1)) as server:
        async with device(server.url) as first:
            await first.cut()
            async with device(server.url) as second:
                await second.heartbeat()


@pytest.mark.trio
async def test_beyond_its_connections_a_server_answers_503() -> None:
    async with serving(limits=Limits(connections=1)) as server:
        async with device(server.url) as client:
            assert await status(server.url) == 503
            await client.heartbeat()


@pytest.mark.trio
async def test_a_port_in_use_is_an_error_that_says_so() -> None:
    async with serving() as first:
        second = DeviceServerEndpoint(port=first.port)
        with pytest.raises(AddressInUse, match=str(first.port)) as raised:
            await second.start()
        assert isinstance(raised.value, OSError)
        assert second.lifecycle.state is ServerState.STOPPED
        assert [node.path for node in first.system.tree().children] == ["/server"]
        with pytest.raises(EndpointNotRunning):
            second.url  # noqa: B018
        async with device(first.url) as client:
            await client.heartbeat()


@pytest.mark.trio
async def test_a_server_without_a_port_opens_no_socket() -> None:
    async with open_system():
        server = DeviceServerEndpoint()
        await server.start()
        with pytest.raises(EndpointNotRunning):
            server.port  # noqa: B018
        with pytest.raises(EndpointNotRunning):
            server.url  # noqa: B018
