"""Networks in memory."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.actors import open_system
from aip_trio.errors import AddressInUse, ConnectFailed, ConnectionLost, InvalidUrl, NoSystem
from aip_trio.transport import MemoryNetwork, MemoryTransport, TransportState

pytestmark = pytest.mark.trio


async def echo(transport: MemoryTransport) -> None:
    while True:
        await transport.send(await transport.receive())


async def test_a_pair_is_connected_without_a_network() -> None:
    here, there = MemoryTransport.pair()
    await here.send(b"hello")
    assert await there.receive() == b"hello"
    await here.ping()


async def test_names_lead_to_who_serves_there() -> None:
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery:
        server = await network.serve("echo", echo, nursery=nursery, subprotocols=["b", "a"])
        assert server.url == "memory://echo"
        async with network.transport() as client:
            await client.connect(server.url, subprotocols=["a", "b"])
            assert client.subprotocol == "b"
            await client.send(b"hello")
            assert await client.receive() == b"hello"
        await server.close()


async def test_nobody_serves_there() -> None:
    client = MemoryNetwork().transport()
    with pytest.raises(ConnectFailed, match="nobody"):
        await client.connect("memory://x")
    assert client.state is TransportState.ERROR
    client.reset()
    with pytest.raises(InvalidUrl):
        await client.connect("ws://x")
    assert client.state.name == "DISCONNECTED"
    with pytest.raises(ConnectFailed, match="no network"):
        await MemoryTransport().connect("memory://x")


async def test_a_name_is_given_once() -> None:
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery:
        server = await network.serve("x", echo, nursery=nursery)
        with pytest.raises(AddressInUse, match="memory://x"):
            await network.serve("x", echo, nursery=nursery)
        await server.drain()
        await wait_all_tasks_blocked()
        again = await network.serve("x", echo, nursery=nursery)
        await server.close()
        async with network.transport() as client:
            await client.connect("memory://x")
        await again.close()


async def test_a_server_that_drains_leaves_its_connections_alone() -> None:
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery:
        server = await network.serve("x", echo, nursery=nursery)
        async with network.transport() as client:
            await client.connect("memory://x")
            await server.drain()
            await wait_all_tasks_blocked()
            with pytest.raises(ConnectFailed):
                await network.transport().connect("memory://x")
            await client.send(b"still here")
            assert await client.receive() == b"still here"


async def test_close_tells_the_clients_and_cancels_handlers_that_go_on(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()

    async def handler(transport: MemoryTransport) -> None:
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        server = await network.serve("x", handler, nursery=nursery)
        client = network.transport()
        await client.connect("memory://x")
        await server.close(1012, "restarting")
        with pytest.raises(ConnectionLost) as raised:
            await client.receive()
        assert (raised.value.code, raised.value.reason) == (1012, "restarting")
    assert trio.current_time() == 10


async def test_a_handlers_crash_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    network = MemoryNetwork()

    async def handler(transport: MemoryTransport) -> None:
        raise ZeroDivisionError("planted")

    async with trio.open_nursery() as nursery:
        server = await network.serve("x", handler, nursery=nursery)
        client = network.transport()
        await client.connect("memory://x")
        with pytest.raises(ConnectionLost, match="1011"):
            await client.receive()
        await server.close()
    assert "planted" in caplog.text


async def test_a_server_ends_with_its_system_and_its_connections_break() -> None:
    network = MemoryNetwork()
    client = network.transport()
    async with open_system():
        await network.serve("x", echo)
        await client.connect("memory://x")
    assert client.state is TransportState.ERROR
    client.reset()
    with pytest.raises(ConnectFailed, match="nobody"):
        await client.connect("memory://x")
    with pytest.raises(NoSystem):
        await network.serve("x", echo)
