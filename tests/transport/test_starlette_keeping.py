"""What `serve_asgi_websocket` adds to ASGI, in virtual time: liveness, bounds, cancellation."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from aip_trio.errors import (
    ConnectionLost,
    MessageTooLarge,
    PeerSilent,
    PeerTooSlow,
    TransportClosed,
    TransportError,
)
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import TransportState, WebSocketTransport, serve_asgi_websocket
from tests.endpoints.memory import virtual
from tests.transport.fake_asgi import FakeAsgi


class Connection:
    """A server's connection that answers pings for so long."""

    def __init__(self, *, answers: int) -> None:
        self.last_heard = trio.current_time()
        self.gone = self.was_cut = False
        self.pings = 0
        self._answers = answers

    async def ping(self) -> None:
        self.pings += 1
        if self.pings > self._answers:
            await trio.sleep_forever()
        await trio.sleep(0.1)
        self.last_heard = trio.current_time()

    def cut(self) -> None:
        self.was_cut = True


class Kept:
    """A transport in `serve_asgi_websocket`, for the test to use, and how its handler ended."""

    transport: WebSocketTransport

    def __init__(self) -> None:
        self.open = trio.Event()
        self.leave = trio.Event()

    async def handler(self, transport: WebSocketTransport) -> None:
        self.transport = transport
        self.open.set()
        await self.leave.wait()


async def lost(transport: WebSocketTransport) -> TransportError:
    with pytest.raises(TransportError) as raised:
        while True:
            await transport.receive()
    return raised.value


@virtual
async def test_a_peer_that_answers_pings_stays_and_one_that_stops_is_cut_off() -> None:
    connection = Connection(answers=5)
    fake, kept = FakeAsgi(connection=connection), Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: serve_asgi_websocket(kept.handler, fake.websocket, ping_interval=20, ping_timeout=45)
        )
        await kept.open.wait()
        error = await lost(kept.transport)
        assert isinstance(error, PeerSilent)
        assert trio.current_time() == pytest.approx(100.1 + 45)
        assert connection.pings == 6
        assert connection.was_cut
        assert kept.transport.state is TransportState.ERROR
        assert kept.transport.close_code == 1006
        kept.leave.set()


@virtual
async def test_without_pings_every_message_is_a_sign_of_life() -> None:
    fake, kept = FakeAsgi(), Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: serve_asgi_websocket(kept.handler, fake.websocket, ping_interval=20, ping_timeout=45)
        )
        await kept.open.wait()
        for _ in range(5):
            await trio.sleep(40)
            fake.say(text="a heartbeat")
            assert await kept.transport.receive() == b"a heartbeat"
        assert isinstance(await lost(kept.transport), PeerSilent)
        assert trio.current_time() == 245
        kept.leave.set()


@virtual
async def test_what_waits_behind_messages_that_nobody_receives_may_be_a_sign_of_life() -> None:
    fake, kept = FakeAsgi(), Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: serve_asgi_websocket(kept.handler, fake.websocket, ping_timeout=45))
        await kept.open.wait()
        for _ in range(200):
            fake.say(bytes=b"unread")
        await trio.sleep(1000)
        assert kept.transport.is_connected
        for _ in range(200):
            assert await kept.transport.receive() == b"unread"
        assert isinstance(await lost(kept.transport), PeerSilent)
        assert trio.current_time() == pytest.approx(1045)
        kept.leave.set()


@virtual
async def test_a_peer_that_takes_nothing_is_silent_too_however_much_it_says() -> None:
    connection = Connection(answers=1000)
    fake, kept = FakeAsgi(connection=connection), Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: serve_asgi_websocket(kept.handler, fake.websocket, ping_interval=20, ping_timeout=45)
        )
        await kept.open.wait()
        with fake.stuck():
            with pytest.raises(PeerSilent):
                await kept.transport.send(b"x")
            assert trio.current_time() <= 65
            assert connection.was_cut
        kept.leave.set()


@virtual
async def test_too_much_that_waits_for_a_peer_ends_its_connection() -> None:
    fake, kept = FakeAsgi(), Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: serve_asgi_websocket(kept.handler, fake.websocket, ping_timeout=None, queued_bytes=1000)
        )
        await kept.open.wait()
        errors: list[TransportError] = []

        async def send() -> None:
            with pytest.raises(TransportError) as raised:
                await kept.transport.send(b"x" * 600)
            errors.append(raised.value)

        with fake.stuck():
            nursery.start_soon(send)
            await trio.sleep(3600)
            assert kept.transport.is_connected  # 600 bytes are not too much
            nursery.start_soon(send)
            await trio.sleep(1)
            assert [type(error) for error in errors] == [PeerTooSlow] * 2
            assert (kept.transport.close_code, kept.transport.is_connected) == (1008, False)
        kept.leave.set()


@virtual
async def test_a_message_that_is_too_large_is_the_last() -> None:
    fake, kept = FakeAsgi(), Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: serve_asgi_websocket(kept.handler, fake.websocket, max_size=10))
        await kept.open.wait()
        fake.say(text="é" * 5)
        fake.say(text="é" * 6)
        assert await kept.transport.receive_auto() == "é" * 5
        error = await lost(kept.transport)
        assert isinstance(error, MessageTooLarge)
        assert (error.size, error.limit) == (12, 10)
        await kept.transport.wait_closed()
        assert fake.sent[-1]["code"] == kept.transport.close_code == 1009
        kept.leave.set()


@pytest.mark.parametrize(
    ("code", "state"), [(1001, TransportState.DISCONNECTED), (1006, TransportState.ERROR), (None, None)]
)
@virtual
async def test_a_server_that_tells_the_peers_code_is_believed(
    code: int | None, state: TransportState | None
) -> None:
    fake, kept = FakeAsgi(), Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: serve_asgi_websocket(kept.handler, fake.websocket))
        await kept.open.wait()
        fake.say(text="last words")
        fake.hang_up(code, "bye")
        assert await kept.transport.receive() == b"last words"
        error = await lost(kept.transport)
        assert isinstance(error, ConnectionLost)
        assert (error.code, error.reason) == (code or 1005, "bye")
        assert kept.transport.state is (state or TransportState.DISCONNECTED)
        kept.leave.set()
    assert fake.kinds == ["accept"]


@virtual
async def test_a_stuck_server_holds_up_neither_a_close_nor_those_who_send() -> None:
    fake, kept = FakeAsgi(), Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: serve_asgi_websocket(kept.handler, fake.websocket, close_timeout=3))
        await kept.open.wait()
        with fake.stuck():
            for _ in range(3):
                with trio.move_on_after(1) as patience:
                    await kept.transport.send(b"x")
                assert patience.cancelled_caught
            began = trio.current_time()
            await kept.transport.close()
            assert trio.current_time() == began + 3
            with pytest.raises(TransportClosed):
                await kept.transport.send(b"x")
        kept.leave.set()


def test_a_cancelled_send_is_whole_or_not_at_all_and_a_cancelled_receive_loses_nothing() -> None:
    async def send(point: CancelPoint) -> None:
        fake, kept = FakeAsgi(), Kept()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve_asgi_websocket(kept.handler, fake.websocket))
            await kept.open.wait()
            await kept.transport.send(b"before")
            with point:
                await kept.transport.send(b"this")
            await kept.transport.send(b"after")
            assert fake.texts in (["before", "this", "after"], ["before", "after"])
            kept.leave.set()

    async def receive(point: CancelPoint) -> None:
        fake, kept = FakeAsgi(), Kept()
        got: list[bytes] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve_asgi_websocket(kept.handler, fake.websocket))
            await kept.open.wait()
            fake.say(text="one")
            with point:
                got.append(await kept.transport.receive())
            fake.say(text="two")
            while len(got) < 2:
                got.append(await kept.transport.receive())
            assert got == [b"one", b"two"]
            kept.leave.set()

    for scenario in (send, receive):
        assert cancel_at_every_checkpoint(scenario) > 0


def test_serving_one_that_is_cancelled_says_goodbye_wherever_it_is() -> None:
    async def scenario(point: CancelPoint) -> None:
        fake = FakeAsgi()
        entered = ended = False

        async def handler(transport: WebSocketTransport) -> None:
            nonlocal entered, ended
            entered = True
            try:
                await transport.send(b"hello")
                await transport.receive()
            finally:
                ended = True

        fake.say(text="hello")
        with point:
            await serve_asgi_websocket(handler, fake.websocket)
        assert entered is ended
        if entered:
            assert fake.kinds[-1] == "close"
            assert fake.sent[-1]["code"] in (1000, 1001)

    assert cancel_at_every_checkpoint(scenario) > 3


def test_a_close_that_is_cancelled_ends_at_once() -> None:
    async def scenario(point: CancelPoint) -> None:
        connection = Connection(answers=0)
        fake, kept = FakeAsgi(connection=connection), Kept()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve_asgi_websocket(kept.handler, fake.websocket))
            await kept.open.wait()
            with point:
                await kept.transport.close()
            assert kept.transport.state is TransportState.DISCONNECTED
            await kept.transport.wait_closed()
            kept.leave.set()
        assert connection.was_cut

    assert cancel_at_every_checkpoint(scenario) > 0


def test_a_framework_that_is_cancelled_while_its_server_is_stuck_waits_a_second() -> None:
    async def main() -> None:
        fake, kept = FakeAsgi(connection=Connection(answers=0)), Kept()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve_asgi_websocket(kept.handler, fake.websocket, close_timeout=60))
            await kept.open.wait()
            with fake.stuck(), trio.CancelScope(shield=True):
                with trio.move_on_after(1):
                    await kept.transport.send(b"x")
                began = trio.current_time()
                nursery.cancel_scope.cancel()
                await kept.transport.wait_closed()
                assert trio.current_time() == began + 1

    trio.run(main, clock=MockClock(autojump_threshold=0))
