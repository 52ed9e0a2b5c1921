"""Clients of links (`aip.v2`) that say what they should not: they harm nobody, and their link lives on."""

from typing import Any

import msgspec
import pytest
import trio

from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.errors import ConnectionLost, TransportError
from aip_trio.messages import Format
from aip_trio.protocol import SUBPROTOCOLS, LinkTransport, open_link
from aip_trio.transport import MemoryNetwork, Transport
from tests.endpoints.memory import fleet, virtual
from tests.endpoints.peer import Ended, Peer, Wire
from tests.endpoints.support import until

LINKS = SUBPROTOCOLS[:-1]
BOTH = pytest.mark.parametrize("link", LINKS)


class LinkWire(Wire):
    """A plain peer's messages over a link, in the link's format."""

    def __init__(self, link: LinkTransport) -> None:
        self.link = link

    async def send(self, frame: str | bytes) -> None:
        data = frame.encode() if isinstance(frame, str) else frame
        if self.link.format is Format.MSGPACK:
            data = msgspec.msgpack.encode(msgspec.json.decode(data))
        await self.link.send(data)

    async def receive(self) -> str | bytes:
        try:
            data = await self.link.receive()
        except TransportError as lost:
            raise Ended(lost.code if isinstance(lost, ConnectionLost) else 1006) from None
        if self.link.format is Format.MSGPACK:
            data = msgspec.json.encode(msgspec.msgpack.decode(data))
        return data.decode()

    async def close(self, code: int) -> None:
        await self.link.close(code)

    async def cut(self) -> None:
        await self.link.drop()


async def linked(network: MemoryNetwork, link: str) -> Peer:
    """A client that has not registered yet."""

    async def dial() -> Transport:
        transport = network.transport()
        await transport.connect("memory://server", subprotocols=[link])
        return transport

    transport = await open_link(dial)
    assert isinstance(transport, LinkTransport)
    return Peer(LinkWire(transport))


async def end(server: DeviceServerEndpoint, *peers: Peer) -> None:
    for peer in peers:
        await peer.wire.close(1000)
    await until(lambda: len(server._hub.links) == 0)


@BOTH
def test_what_belongs_to_transfers_is_an_error_on_a_link_and_costs_no_message_after_it(link: str) -> None:
    @virtual
    async def run() -> None:
        async with fleet(links=[link]) as (_, server, network):
            peer = await linked(network, link)
            await peer.register("dev-1")
            announced: list[tuple[str, dict[str, Any]]] = [
                ("binary_data", {"size": 5}),
                ("binary_data", {"size": 5, "chunk_num": 0}),
                ("file_transfer_start", {"filename": "../x", "size": 5, "chunk_size": 5, "total_chunks": 1}),
            ]
            for kind, fields in announced:
                await peer.send(kind, **fields)
                assert kind in await peer.refused()
                await peer.heartbeat()
            await end(server, peer)

    run()


@BOTH
def test_a_frame_without_a_client_type_is_its_senders_in_both_formats(link: str) -> None:
    @virtual
    async def run() -> None:
        async with fleet(links=[link]) as (_, server, network):
            device, orch = await linked(network, link), await linked(network, link)
            await device.register("dev-1")
            await orch.register("orch", "constellation")
            await orch.send("task", "continue", session_id="s1", request="x", target_id="dev-1")
            assert (await orch.receive("task_end"))["session_id"] == "s1"
            await orch.send("task", "continue", request="x", target_id="dev-1", client_type="device")
            assert "client_type" in await orch.refused()
            await end(server, device, orch)

    run()


@virtual
async def test_one_who_floods_and_does_not_read_is_replaced_when_he_has_gone_and_that_is_no_crash(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with fleet(links=LINKS[:1]) as (_, server, network):
        flood = network.transport()
        await flood.connect("memory://server", subprotocols=LINKS[:1])
        await flood.send(b'{"t":"hello"}')
        register = b'{"type":"register","status":"ok","client_id":"dev-1","client_type":"device"}'
        await flood.send(b'{"t":"b","s":1}\n' + register)
        with trio.move_on_after(60):
            for first in range(2, 50_000, 200):
                batch = [b'{"type":"heartbeat","status":"ok"}'] * 200
                await flood.send(b'{"t":"b","s":%d}\n' % first + b"\n".join(batch))
        flood.cut()
        heir = await linked(network, LINKS[0])
        await heir.register("dev-1")
        await heir.heartbeat()
        assert not [record for record in caplog.records if record.levelname == "ERROR"]
        await end(server, heir)
