"""Seed 001's own code, `aip` replaced by `aip_trio`: a transport of one's own, and a subclass of ours."""

from __future__ import annotations

import logging

import pytest
import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceServerEndpoint
from aip_trio.messages import ClientMessage, ClientMessageType, TaskStatus
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import TransportState, WebSocketTransport, serve_websocket
from aip_trio.transport.base import Transport
from tests.transport.ends import echo

pytestmark = pytest.mark.trio

logger = logging.getLogger("program")


class Connection:
    """What some protocol of the program's own has."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_open = True
        self.come, self.gone = trio.open_memory_channel[bytes](10)

    async def write(self, data: bytes) -> None:
        await self.come.send(data)

    async def read(self) -> bytes:
        return await self.gone.receive()

    async def shutdown(self) -> None:
        self.is_open = False


class custom_protocol:  # noqa: N801 - a module, as the seed has it
    @staticmethod
    async def connect(url: str) -> Connection:
        return Connection(url)


class CustomTransport(Transport):
    _connection: Connection | None = None

    async def connect(self, url: str, **kwargs: object) -> None:
        # Custom connection logic
        self._connection = await custom_protocol.connect(url)

    async def send(self, data: bytes) -> None:
        assert self._connection is not None
        await self._connection.write(data)

    async def receive(self) -> bytes:
        assert self._connection is not None
        return await self._connection.read()

    async def close(self) -> None:
        assert self._connection is not None
        await self._connection.shutdown()

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and self._connection.is_open


# Custom transport with logging
class LoggedTransport(WebSocketTransport):
    async def send(self, data: bytes | bytearray | memoryview) -> None:
        logger.debug("Sending %d bytes", len(data))
        await super().send(data)

    async def receive(self) -> bytes:
        data = await super().receive()
        logger.debug("Received %d bytes", len(data))
        return data


async def test_a_custom_transport_carries_a_protocol() -> None:
    # Use custom transport with protocol
    transport = CustomTransport()
    await transport.connect("custom://server:port")
    protocol = AIPProtocol(transport)
    message = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK, client_id="dev")
    await protocol.send_message(message)
    assert await protocol.receive_message(ClientMessage) == message
    assert transport.state is TransportState.CONNECTED
    await protocol.close()
    assert not transport.is_connected
    await transport.wait_closed()


@pytest.mark.usefixtures("each_adapter")
async def test_a_subclass_sees_all_that_goes_through_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "program")
    async with trio.open_nursery() as nursery:
        server = await serve_websocket(echo, nursery=nursery)
        async with LoggedTransport() as transport:
            await transport.connect(server.url)
            await transport.send(b"Hello Server")
            data = await transport.receive()
            assert data == b"Hello Server"
            # Automatic cleanup on exit
        assert not transport.is_connected
        await server.close()
    assert caplog.messages == ["Sending 12 bytes", "Received 12 bytes"]


async def test_a_subclass_carries_an_endpoint(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "program")
    async with open_system():
        server = DeviceServerEndpoint(port=0)
        await server.start()
        orchestrator = ConstellationEndpoint("lab", make_transport=LoggedTransport)
        await orchestrator.start()
        with pytest.raises(ConnectionError):  # there is no such device
            await orchestrator.connect_to_device(
                AgentProfile(device_id="dev", server_url=server.url, max_retries=0)
            )
        await orchestrator.stop()
        await server.stop()
    assert any(line.startswith("Sending") for line in caplog.messages)
    assert any(line.startswith("Received") for line in caplog.messages)
