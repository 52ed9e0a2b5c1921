"""A service with keys: both of its sockets are for those it knows."""

import json

import pytest
import trio

from aip_trio.rpc import RpcOptions, RpcService
from aip_trio.transport.zeromq import CurveClient, CurveKeys, CurveServer, Kind, ZeroMQSocket
from tests.rpc.service.support import request, serving


@pytest.mark.trio
async def test_a_client_with_the_keys_is_served_and_one_without_is_not() -> None:
    server, client = CurveKeys.generate(), CurveKeys.generate()
    curve = CurveServer(server.secret, clients=[client.public])
    async with serving(curve=curve, heartbeat_interval=0.02) as service:
        known = CurveClient(server.public, client.secret)
        async with (
            ZeroMQSocket(Kind.REQ, curve=known, linger=0) as commands,
            ZeroMQSocket(Kind.SUB, curve=known, linger=0) as events,
        ):
            await commands.connect(service.urls.commands)
            await commands.send([request(300, nonce=1)])
            assert json.loads((await commands.receive())[0])["nonce"] == 1
            events.subscribe(b"")
            await events.connect(service.urls.events)
            assert int.from_bytes((await events.receive())[0], "little") == 1001
        async with ZeroMQSocket(Kind.REQ, linger=0) as stranger:
            await stranger.connect(service.urls.commands)
            await stranger.send([request(300)])
            with trio.move_on_after(0.2):
                pytest.fail(f"it was answered: {await stranger.receive()}")


def test_the_secret_is_in_no_text() -> None:
    keys = CurveKeys.generate()
    options = RpcOptions(curve=CurveServer(keys.secret, clients=[]))
    assert str(keys.secret) not in repr(options)
    assert RpcService(options).options is options
