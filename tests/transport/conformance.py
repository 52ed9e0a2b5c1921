"""What every transport has to do: subclass `TransportConformance` in a test module.

::

    class TestMine(TransportConformance):
        def ends(self) -> AbstractAsyncContextManager[Ends]: ...
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import (
    ConnectionLost,
    IllegalTransition,
    InvalidMessage,
    InvalidSpec,
    TransportBusy,
    TransportClosed,
    TransportError,
    UnexpectedFrame,
)
from aip_trio.transport import MemoryTransport, TransportState, WebSocketTransport
from aip_trio.transport.zeromq import ZeroMQTransport

AnyTransport = WebSocketTransport | ZeroMQTransport | MemoryTransport

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 300_000]


@attrs.define
class Ends:
    """A connection: the end under test, the other one, and what breaks it without a word."""

    mine: AnyTransport
    peer: AnyTransport
    cut: Callable[[], object]
    #: where the end under test is a client: connects it once more, to a handler that echoes
    reconnect: Callable[[], Awaitable[None]] | None = None


async def fails(call: Awaitable[object]) -> TransportError:
    """What a call raises, which is a ConnectionError in any case."""
    with pytest.raises(ConnectionError) as raised:
        await call
    assert isinstance(raised.value, TransportError)
    return raised.value


async def drain(transport: AnyTransport) -> None:
    """Receive, to the end."""
    while True:
        await transport.receive()


@pytest.mark.trio
class TransportConformance:
    #: one that this kind of transport can read
    url = "ws://127.0.0.1:1/"
    #: seconds without an event, after which what was written has arrived
    cushion = 0.0
    #: whether the end under test is one that connects
    connects = True
    #: whether a send that is cancelled leaves the connection as it was
    sends_can_be_cancelled = True
    #: whether the peer's close frame is told of, and not only that the connection has ended
    hears_goodbyes = True
    #: whether the end of a connection is noticed by itself, without a call
    notices_the_end = True
    #: whether a ping is answered while messages wait to be received, at either end
    pings_pass_messages = True
    #: bytes that are certainly more than fits between two ends of which one does not receive
    too_much = 32 * 1024 * 1024

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        raise NotImplementedError

    async def settle(self) -> None:
        """Wait until nothing happens any more."""
        await wait_all_tasks_blocked(self.cushion)

    # Messages

    @pytest.mark.parametrize("size", SIZES)
    async def test_a_message_comes_as_it_was_sent(self, size: int) -> None:
        async with self.ends() as ends:
            for message in (b"x" * size, b"\xff" * size):
                await ends.mine.send(message)
                assert await ends.peer.receive() == message
                await ends.peer.send(message)
                assert await ends.mine.receive() == message

    async def test_messages_come_in_order_and_apart(self) -> None:
        messages = [b"%d" % number for number in range(500)]
        async with self.ends() as ends, trio.open_nursery() as nursery:

            async def send_all() -> None:
                for message in messages:
                    await ends.mine.send(message)

            nursery.start_soon(send_all)
            assert [await ends.peer.receive() for _ in messages] == messages

    async def test_utf8_goes_as_text_and_what_is_none_as_binary(self) -> None:
        async with self.ends() as ends:
            for message, kind in (("grüße".encode(), str), (b"\xff\x00", bytes), (b"", str)):
                await ends.mine.send(message)
                got = await ends.peer.receive_auto()
                assert type(got) is kind
                assert (got.encode() if isinstance(got, str) else got) == message
            await ends.mine.send_binary(b"text, as it happens")
            assert await ends.peer.receive_auto() == b"text, as it happens"

    async def test_a_text_is_refused_where_a_binary_is_asked_for(self) -> None:
        async with self.ends() as ends:
            await ends.peer.send(b"text")
            with pytest.raises(UnexpectedFrame, match="text"):
                await ends.mine.receive_binary()
            await ends.peer.send_binary(b"text")
            assert await ends.mine.receive_binary() == b"text"

    @pytest.mark.parametrize("message", ["text", None, 3], ids=repr)
    async def test_what_is_no_bytes_is_refused(self, message: object) -> None:
        async with self.ends() as ends:
            for send in (ends.mine.send, ends.mine.send_binary):
                with pytest.raises(InvalidMessage):
                    await send(message)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            await ends.mine.send(b"fine")
            assert await ends.peer.receive() == b"fine"

    async def test_a_message_can_be_any_kind_of_bytes_and_is_taken_as_it_is_now(self) -> None:
        async with self.ends() as ends:
            message = bytearray(b"abc")
            await ends.mine.send(message)
            message[0] = 0xFF
            await ends.mine.send(message)
            await ends.mine.send(memoryview(b"view"))
            assert [await ends.peer.receive() for _ in range(3)] == [b"abc", b"\xffbc", b"view"]

    # Many tasks

    async def test_concurrent_sends_go_out_in_the_order_of_their_calls(self) -> None:
        messages = [b"%d" % number * (5000 if number % 3 else 1) for number in range(60)]
        async with self.ends() as ends, trio.open_nursery() as nursery:
            for message in messages:
                nursery.start_soon(ends.mine.send, message)
                await trio.lowlevel.checkpoint()  # so that they begin in this order
            assert [await ends.peer.receive() for _ in messages] == messages

    async def test_nothing_comes_between_an_announcement_and_what_it_announces(self) -> None:
        data = b"\xff" * 70_000
        async with self.ends() as ends, trio.open_nursery() as nursery:

            async def announce() -> None:
                for _ in range(5):
                    await ends.mine.send_announced(b"announced", data)

            async def talk() -> None:
                for _ in range(25):
                    await ends.mine.send(b"something else")

            for send in (announce, talk, announce, talk):
                nursery.start_soon(send)
            frames = [await ends.peer.receive_auto() for _ in range(2 * (2 * 5 + 25))]
        places = [place for place, frame in enumerate(frames) if frame == "announced"]
        assert len(places) == 10
        assert all(frames[place + 1] == data for place in places)

    async def test_both_directions_at_once(self) -> None:
        messages = [bytes([number]) * 100_000 for number in range(30)]
        async with self.ends() as ends, trio.open_nursery() as nursery:

            async def send_all(transport: AnyTransport) -> None:
                for message in messages:
                    await transport.send(message)

            async def receive_all(transport: AnyTransport) -> None:
                assert [await transport.receive() for _ in messages] == messages

            for transport in (ends.mine, ends.peer):
                nursery.start_soon(send_all, transport)
                nursery.start_soon(receive_all, transport)

    async def test_a_second_receive_at_the_same_time_is_an_error_and_the_first_goes_on(self) -> None:
        async with self.ends() as ends, trio.open_nursery() as nursery:
            got: list[bytes] = []
            received = trio.Event()

            async def receive() -> None:
                got.append(await ends.mine.receive())
                received.set()

            nursery.start_soon(receive)
            await self.settle()
            with pytest.raises(TransportBusy):
                await ends.mine.receive()
            await ends.peer.send(b"for the first")
            with trio.fail_after(5):
                await received.wait()
            assert got == [b"for the first"]

    async def test_a_cancelled_receive_loses_nothing(self) -> None:
        async with self.ends() as ends:
            with trio.CancelScope() as scope:
                scope.cancel()
                await ends.mine.receive()
            await ends.peer.send(b"one")
            await self.settle()
            with trio.CancelScope() as scope:
                scope.cancel()
                await ends.mine.receive()
            assert scope.cancelled_caught
            assert await ends.mine.receive() == b"one"
            with trio.move_on_after(0):
                await ends.mine.receive()
            await ends.peer.send(b"two")
            assert await ends.mine.receive() == b"two"

    async def test_a_send_waits_while_the_peer_does_not_receive(self) -> None:
        message = b"x" * 262144
        count = self.too_much // len(message)
        sent = 0
        async with self.ends() as ends, trio.open_nursery() as nursery:

            async def send_all() -> None:
                nonlocal sent
                for _ in range(count):
                    await ends.mine.send(message)
                    sent += 1

            nursery.start_soon(send_all)
            await self.settle()
            assert 0 < sent < count
            for _ in range(count):
                assert await ends.peer.receive() == message
        assert sent == count

    async def test_a_cancelled_send_is_whole_or_not_at_all(self) -> None:
        message = b"x" * 262144
        async with self.ends() as ends:
            tried = cancelled = 0
            while cancelled < 3:
                assert tried < self.too_much // len(message)
                with trio.move_on_after(0.02) as scope:
                    await ends.mine.send(message + b"%d" % tried)
                tried += 1
                cancelled += scope.cancelled_caught
                if cancelled and not self.sends_can_be_cancelled:
                    assert not ends.mine.is_connected
                    return
            got: list[bytes] = []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ends.mine.send, b"last")
                while (data := await ends.peer.receive()) != b"last":
                    got.append(data)
            assert all(data[: len(message)] == message for data in got)
            numbers = [int(data[len(message) :]) for data in got]
            assert numbers == sorted(set(numbers))
            assert tried - cancelled <= len(numbers) <= tried

    # The end

    async def test_closing_ends_both_sides(self) -> None:
        async with self.ends() as ends:
            assert ends.mine.is_connected
            await ends.mine.close()
            assert ends.mine.state is TransportState.DISCONNECTED
            assert not ends.mine.is_connected
            assert ends.mine.close_code == 1000
            await ends.mine.wait_closed()
            for call in (ends.mine.send(b"x"), ends.mine.receive(), ends.mine.ping()):
                assert isinstance(await fails(call), TransportClosed)
            lost = await fails(ends.peer.receive())
            assert isinstance(lost, ConnectionLost)
            assert lost.code == 1000
            await ends.peer.wait_closed()
            assert ends.peer.state is TransportState.DISCONNECTED
            assert isinstance(await fails(ends.peer.send(b"x")), ConnectionLost)

    @pytest.mark.parametrize(("code", "reason"), [(1001, "going away"), (3000, ""), (1011, "ü" * 80)])
    async def test_the_peer_is_told_why(self, code: int, reason: str) -> None:
        async with self.ends() as ends:
            await ends.mine.close(code, reason)
            lost = await fails(ends.peer.receive())
            assert isinstance(lost, ConnectionLost)
            assert lost.code == ends.peer.close_code == ends.mine.close_code == code
            assert reason.startswith(lost.reason)
            assert bool(lost.reason) == bool(reason)

    @pytest.mark.parametrize("code", [0, 999, 1005, 1006, 1015, 2999, 5000])
    async def test_a_code_that_no_close_frame_may_carry_is_refused(self, code: int) -> None:
        async with self.ends() as ends:
            with pytest.raises(InvalidSpec, match="code"):
                await ends.mine.close(code)
            assert ends.mine.is_connected

    async def test_the_peer_closes(self) -> None:
        async with self.ends() as ends:
            await ends.peer.send(b"last words")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ends.peer.close, 1001, "bye")
                assert await ends.mine.receive() == b"last words"
                lost = await fails(ends.mine.receive())
            assert isinstance(lost, ConnectionLost)
            goodbye = (1001, "bye") if self.hears_goodbyes else (1006, lost.reason)
            assert (lost.code, lost.reason) == goodbye
            await ends.mine.wait_closed()
            ended = TransportState.DISCONNECTED if self.hears_goodbyes else TransportState.ERROR
            assert ends.mine.state is ended
            assert (ends.mine.close_code, ends.mine.close_reason) == goodbye
            assert isinstance(await fails(ends.mine.send(b"x")), ConnectionLost)
            again = await fails(ends.mine.receive())
            assert isinstance(again, ConnectionLost)
            assert again is not lost

    async def test_both_close_at_once(self) -> None:
        async with self.ends() as ends:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ends.mine.close, 1000, "mine")
                nursery.start_soon(ends.peer.close, 1000, "peer's")
            assert ends.mine.state is ends.peer.state is TransportState.DISCONNECTED

    async def test_who_waits_in_receive_is_told_of_this_sides_close(self) -> None:
        async with self.ends() as ends, trio.open_nursery() as nursery:
            errors: list[TransportError] = []

            async def receive() -> None:
                errors.append(await fails(ends.mine.receive()))

            nursery.start_soon(receive)
            await self.settle()
            await ends.mine.close()
            await self.settle()
            assert [type(error) for error in errors] == [TransportClosed]

    async def test_closing_with_messages_that_nobody_received(self) -> None:
        async with self.ends() as ends, trio.open_nursery() as nursery:

            async def send_all() -> None:
                with suppress(TransportError):
                    while True:
                        await ends.peer.send(b"unread" * 10_000)

            nursery.start_soon(send_all)
            await self.settle()
            await ends.mine.close()
            assert isinstance(await fails(ends.mine.receive()), TransportClosed)

    async def test_closing_again_or_twice_at_once_is_harmless(self) -> None:
        async with self.ends() as ends:
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(ends.mine.close)
            await ends.mine.close()
            assert ends.mine.state is TransportState.DISCONNECTED

    async def test_a_cancelled_close_ends_at_once(self) -> None:
        async with self.ends() as ends:
            with trio.CancelScope() as scope:
                scope.cancel()
                await ends.mine.close()
            assert ends.mine.state is TransportState.DISCONNECTED
            await ends.mine.wait_closed()
            with trio.fail_after(5):
                await fails(ends.peer.receive())

    async def test_what_was_sent_before_closing_arrives(self) -> None:
        messages = [b"%d" % number * 500 for number in range(20)]
        async with self.ends() as ends:
            for message in messages:
                await ends.mine.send(message)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ends.mine.close)
                assert [await ends.peer.receive() for _ in messages] == messages
                await fails(ends.peer.receive())

    async def test_a_broken_connection_is_an_error_at_both_ends(self) -> None:
        async with self.ends() as ends:
            ends.cut()
            for end in (ends.mine, ends.peer):
                lost = await fails(end.receive())
                assert isinstance(lost, ConnectionLost)
                assert lost.code == 1006
                await end.wait_closed()
                assert end.state is TransportState.ERROR
                assert end.close_code == 1006
                assert isinstance(await fails(end.send(b"x")), ConnectionLost)
                await end.close()
                assert end.state is TransportState.ERROR

    async def test_who_waits_in_receive_is_told_of_the_break(self) -> None:
        async with self.ends() as ends, trio.open_nursery() as nursery:
            errors: list[TransportError] = []
            told = trio.Event()

            async def receive() -> None:
                errors.append(await fails(ends.mine.receive()))
                told.set()

            nursery.start_soon(receive)
            await self.settle()
            ends.cut()
            with trio.fail_after(5):
                await told.wait()
            assert [type(error) for error in errors] == [ConnectionLost]

    async def test_the_end_is_seen_without_a_call(self) -> None:
        if not self.notices_the_end:
            pytest.skip("it has no task of its own")
        async with self.ends() as ends:
            ends.cut()
            await ends.mine.wait_closed()
            assert ends.mine.state is TransportState.ERROR

    async def test_a_send_that_waits_is_told_of_the_break(self) -> None:
        async with self.ends() as ends, trio.open_nursery() as nursery:
            errors: list[TransportError] = []
            told = trio.Event()

            async def send_all() -> None:
                while True:
                    await ends.mine.send(b"x" * 262144)

            async def send() -> None:
                errors.append(await fails(send_all()))
                told.set()

            nursery.start_soon(send)
            await self.settle()
            ends.cut()
            with trio.fail_after(5):
                await told.wait()
            assert isinstance(errors[0], ConnectionLost)

    # States

    async def test_it_is_used_once_until_it_has_ended(self) -> None:
        async with self.ends() as ends:
            with pytest.raises(IllegalTransition):
                await ends.mine.connect(self.url)
            with pytest.raises(IllegalTransition):
                ends.mine.reset()
            assert ends.mine.is_connected

    async def test_after_a_break_it_has_to_be_reset_and_then_connects_again(self) -> None:
        if not self.connects:
            pytest.skip("this end was accepted, or given")
        async with self.ends() as ends:
            assert ends.reconnect is not None
            ends.cut()
            await fails(ends.mine.receive())
            with pytest.raises(IllegalTransition):
                await ends.reconnect()
            ends.mine.reset()
            assert ends.mine.state.value == "disconnected"
            await ends.reconnect()
            await ends.mine.send(b"again")
            assert await ends.mine.receive() == b"again"

    async def test_after_a_close_it_connects_again(self) -> None:
        if not self.connects:
            pytest.skip("this end was accepted, or given")
        async with self.ends() as ends:
            assert ends.reconnect is not None
            await ends.mine.close()
            await ends.reconnect()
            await ends.mine.send(b"again")
            assert await ends.mine.receive() == b"again"

    async def test_a_ping_is_answered_beside_other_messages(self) -> None:
        async with self.ends() as ends:
            await ends.mine.ping(timeout=5)
            if self.pings_pass_messages:
                for _ in range(5):
                    await ends.peer.send(b"unread")
                    await ends.mine.send(b"unread")
                await ends.mine.ping(timeout=5)
            ends.cut()
            await fails(drain(ends.mine))
            assert isinstance(await fails(ends.mine.ping()), ConnectionLost)

    async def test_it_knows_when_it_last_heard_of_the_peer(self) -> None:
        async with self.ends() as ends:
            before = trio.current_time()
            assert -math.inf < ends.mine.last_heard <= before
            await ends.peer.send(b"hello")
            await ends.mine.receive()
            assert before <= ends.mine.last_heard <= trio.current_time()
