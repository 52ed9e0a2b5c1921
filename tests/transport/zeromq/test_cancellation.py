"""Each call of a socket, cancelled at every checkpoint."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio

from aip_trio.errors import AddressInUse
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport.zeromq import Kind, ZeroMQSocket
from tests.transport.zeromq.joined import fill, joined


def test_a_cancelled_receive_loses_nothing() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with joined(Kind.PULL, Kind.PUSH) as (pull, push), trio.open_nursery() as nursery:
            nursery.start_soon(push.send, [b"message"])
            received: list[list[bytes]] = []
            with point:
                received.append(await pull.receive())
            with trio.fail_after(5):
                assert received or await pull.receive() == [b"message"]

    cancel_at_every_checkpoint(scenario, virtual_time=False)


def test_a_cancelled_receive_many_loses_nothing() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with joined(Kind.PULL, Kind.PUSH) as (pull, push):
            for number in range(5):
                await push.send([b"%d" % number])
            received: list[list[bytes]] = []
            with point:
                received += await pull.receive_many()
            while len(received) < 5:
                received.append(pull.receive_nowait())
            assert received == [[b"%d" % number] for number in range(5)]

    cancel_at_every_checkpoint(scenario, virtual_time=False)


def test_a_cancelled_send_has_sent_nothing() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with joined(Kind.PULL, Kind.PUSH, limit=2) as (pull, push):
            taken = await fill(push, [b"early"])
            sent = False
            async with trio.open_nursery() as nursery:
                nursery.start_soon(pull.receive)
                nursery.start_soon(pull.receive)
                with point:
                    await push.send([b"late"])
                    sent = True
            rest: list[list[bytes]] = []
            with suppress(trio.WouldBlock):
                while True:
                    rest.append(pull.receive_nowait())
            assert rest == [[b"early"]] * (taken - 2) + [[b"late"]] * sent

    cancel_at_every_checkpoint(scenario, virtual_time=False)


def test_a_cancelled_bind_or_connect_has_not_happened() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with (
            ZeroMQSocket(Kind.PULL) as pull,
            ZeroMQSocket(Kind.PUSH) as push,
            ZeroMQSocket(Kind.PULL) as other,
        ):
            bound = connected = False
            with point:
                await pull.bind("inproc://here")
                bound = True
                await push.connect("inproc://here")
                connected = True
                await push.disconnect("inproc://here")
                connected = False
                await pull.unbind("inproc://here")
                bound = False
            if connected:
                await push.send([b"message"])
                assert await pull.receive() == [b"message"]
            else:
                with pytest.raises(trio.WouldBlock):
                    push.send_nowait([b"for nobody"])
            free = True
            try:
                await other.bind("inproc://here")
            except AddressInUse:
                free = False
            assert free != bound

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) == 4


def test_a_cancelled_close_has_closed() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with ZeroMQSocket(Kind.PULL) as pull:
            url = await pull.bind("tcp://127.0.0.1:*")
            with point:
                await pull.close()
            assert pull.closed
            with trio.fail_after(5):
                async with ZeroMQSocket(Kind.PULL) as again:
                    while True:
                        try:
                            await again.bind(url)
                        except AddressInUse:
                            await trio.sleep(0.01)  # it was cancelled before libzmq was done
                        else:
                            break

    cancel_at_every_checkpoint(scenario, virtual_time=False)


def test_a_cancelled_monitor_leaves_its_socket_in_peace() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with joined(Kind.PULL, Kind.PUSH) as (pull, push):
            with point:
                async with pull.monitor() as events:
                    await pull.bind("tcp://127.0.0.1:*")
                    await anext(events)
            await push.send([b"message"])
            assert await pull.receive() == [b"message"]

    cancel_at_every_checkpoint(scenario, virtual_time=False)
