"""The actor that owns a protocol's transport."""

import pytest
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import Actor, open_system
from aip_trio.protocol import AIPProtocol, Link
from aip_trio.transport import Attach, MemoryTransport


class Session(Actor):
    """Whom messages are for."""


@pytest.mark.trio
async def test_it_ends_in_order_where_its_session_has_ended_before_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    transport, peer = MemoryTransport.pair()
    async with open_system() as system:
        session = await system.spawn(Session)
        link = await system.spawn(Link, AIPProtocol(transport), restart="temporary")
        await link.tell(Attach(session))
        await wait_all_tasks_blocked()
        await session.stop()
        await peer.send(b"for nobody")
        await link.stopped()
        assert not transport.is_connected
    assert "crashed" not in caplog.text
