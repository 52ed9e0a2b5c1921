"""No wake-up is lost, whoever reads the news, and nobody spins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.transport.zeromq import Kind, ZeroMQSocket
from tests.transport.zeromq.joined import SCHEMES, address, fill, joined

PATIENCE = 20  # seconds, of a machine that has other things to do


@pytest.fixture(params=SCHEMES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return address(request.param, tmp_path)


@pytest.mark.trio
async def test_one_that_waits_to_receive_is_woken_while_others_send_on_the_same_socket(url: str) -> None:
    async with joined(Kind.DEALER, Kind.DEALER, url) as (here, there):
        received = 0

        async def receive() -> None:
            nonlocal received
            for _ in range(500):
                await here.receive()
                received += 1

        async def answer() -> None:
            for _ in range(500):
                await there.send(await there.receive())

        async def noise() -> None:
            # Each of these may read the news that is for the one who receives.
            for _ in range(500):
                here.send_nowait([b"question"])
                await trio.lowlevel.checkpoint()

        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                nursery.start_soon(answer)
                nursery.start_soon(noise)
        assert received == 500


@pytest.mark.trio
async def test_of_many_that_wait_to_receive_each_gets_a_message(url: str) -> None:
    async with joined(Kind.PULL, Kind.PUSH, url) as (pull, push):
        received: list[bytes] = []

        async def receive() -> None:
            received.extend(await pull.receive())

        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(receive)
                await wait_all_tasks_blocked()
                for number in range(20):
                    push.send_nowait([b"%d" % number])
        assert sorted(received) == sorted(b"%d" % number for number in range(20))


@pytest.mark.trio
async def test_one_that_waits_for_room_is_woken_by_one_that_drains(url: str) -> None:
    async with joined(Kind.PULL, Kind.PUSH, url, limit=10) as (pull, push):
        sent = await fill(push, [b"x" * 20000])
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(push.send, [b"last"])
                await wait_all_tasks_blocked()
                taken = [await pull.receive() for _ in range(sent + 1)]
        assert taken[-1] == [b"last"]


@pytest.mark.trio
async def test_sending_and_receiving_wait_side_by_side(url: str) -> None:
    async with joined(Kind.DEALER, Kind.DEALER, url, limit=5) as (here, there):
        sent = await fill(here, [b"x" * 50000])
        done: list[str] = []

        async def receive() -> None:
            assert await here.receive() == [b"hello"]
            done.append("received")

        async def send() -> None:
            await here.send([b"late"])
            done.append("sent")

        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                nursery.start_soon(send)
                await wait_all_tasks_blocked()
                await there.send([b"hello"])
                for _ in range(sent + 1):
                    await there.receive()
        assert sorted(done) == ["received", "sent"]


@pytest.mark.trio
@pytest.mark.parametrize("first", [True, False], ids=["watching", "parked"])
async def test_the_others_are_woken_when_one_that_waited_is_cancelled(url: str, *, first: bool) -> None:
    async with joined(Kind.PULL, Kind.PUSH, url) as (pull, push):
        received: list[bytes] = []
        scopes = [trio.CancelScope() for _ in range(3)]

        async def receive(scope: trio.CancelScope, task_status: trio.TaskStatus[None]) -> None:
            with scope:
                task_status.started()
                received.extend(await pull.receive())

        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for scope in scopes:
                    await nursery.start(receive, scope)
                    await wait_all_tasks_blocked()
                scopes[0 if first else 1].cancel()
                await wait_all_tasks_blocked()
                push.send_nowait([b"one"])
                push.send_nowait([b"two"])
        assert sorted(received) == [b"one", b"two"]


@pytest.mark.trio
async def test_senders_to_a_full_peer_hold_up_nobody_who_sends_to_another(url: str) -> None:
    async with ZeroMQSocket(Kind.ROUTER, send_limit=5, linger=0) as router:
        bound = await router.bind(url)
        async with (
            ZeroMQSocket(Kind.DEALER, routing_id=b"slow", receive_limit=5, linger=0) as slow,
            ZeroMQSocket(Kind.DEALER, routing_id=b"quick", receive_limit=5, linger=0) as quick,
        ):
            for dealer in (slow, quick):
                await dealer.connect(bound)
                await dealer.send([b"hello"])
                await router.receive()
            before = await fill(router, [b"slow", b"x" * 50000])
            with trio.fail_after(PATIENCE):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(router.send, [b"slow", b"late"])
                    nursery.start_soon(router.send, [b"slow", b"later"])
                    for number in range(50):
                        await router.send([b"quick", b"%d" % number])
                        assert await quick.receive() == [b"%d" % number]
                    late = [await slow.receive() for _ in range(before + 2)][-2:]
            assert sorted(late) == [[b"late"], [b"later"]]


@pytest.mark.trio
async def test_closing_wakes_everybody_who_waits(url: str) -> None:
    async with joined(Kind.DEALER, Kind.DEALER, url, limit=5) as (here, _):
        await fill(here, [b"x" * 50000])
        closed = 0

        async def ends(call: Callable[[], Awaitable[object]]) -> None:
            nonlocal closed
            with pytest.raises(trio.ClosedResourceError):
                await call()
            closed += 1

        async def send_on() -> None:  # libzmq's thread may make room at any time
            while True:
                await here.send([b"x" * 50000])

        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(ends, here.receive)
                    nursery.start_soon(ends, send_on)
                await wait_all_tasks_blocked()
                await here.close(linger=0)
        assert closed == 6


class Tries:
    """Counts how often sending and receiving are tried."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, socket: ZeroMQSocket) -> None:
        self.count = 0
        for name in ("_put", "_take"):
            monkeypatch.setattr(socket, name, self._counted(getattr(socket, name)))

    def _counted(self, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object) -> object:
            self.count += 1
            return call(*args)

        return counted


@pytest.mark.trio
async def test_waiting_is_no_spinning(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with joined(Kind.DEALER, Kind.DEALER, url, limit=5) as (here, there):
        await fill(here, [b"x" * 50000])
        tries = Tries(monkeypatch, here)
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(here.receive)
                nursery.start_soon(here.send, [b"late"])
            await trio.sleep(0.3)
            assert tries.count <= 20
            # Messages that nobody takes are no reason to try to send again and again.
            nursery.cancel_scope.cancel()
        before = tries.count
        with trio.move_on_after(0.3):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(here.send, [b"late"])
                for _ in range(5):
                    there.send_nowait([b"for nobody"])
                    await trio.sleep(0.01)
        assert tries.count - before <= 20


@pytest.mark.trio
async def test_who_waits_for_one_full_peer_of_a_router_tries_ten_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with joined(Kind.ROUTER, Kind.DEALER, limit=5) as (router, dealer):
        await dealer.send([b"hello"])
        (name, _) = await router.receive()
        await fill(router, [name, b""])
        tries = Tries(monkeypatch, router)
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(router.send, [name, b"late"])
            nursery.start_soon(router.receive)
            await trio.sleep(0.35)
            assert 4 < tries.count <= 4 * 6 + 4
            nursery.cancel_scope.cancel()
