"""Commands that wait, over connections that come and go, without any socket."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import (
    AipError,
    ClientNotRunning,
    CommandLost,
    CommandTimeout,
    EncodeError,
    ServiceUnreachable,
)
from aip_trio.rpc import ApiCommand, ApiCommandRequestResult, Reply
from aip_trio.rpc._wire import encode_reply
from aip_trio.rpc.client._calls import Calls, Connection
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint

GET_STATUS, STOP = 400, 200
ZEROS = Reply(0, ApiCommand.NONE)


class FakeSocket:
    """Keeps what is sent; ``full`` ones send nothing, until there is ``room``."""

    def __init__(self, *, full: bool = False) -> None:
        self.sent: list[int] = []
        self.full = full
        self.closed = trio.Event()
        self.room = trio.Event()

    def send_nowait(self, frames: Sequence[bytes]) -> None:
        if self.closed.is_set():
            raise trio.ClosedResourceError
        if self.full:
            raise trio.WouldBlock
        empty, data = frames
        assert empty == b""
        self.sent.append(json.loads(data)["nonce"])

    async def send(self, frames: Sequence[bytes]) -> None:
        async with trio.open_nursery() as nursery:

            async def give_way(event: trio.Event) -> None:
                await event.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(give_way, self.closed)
            nursery.start_soon(give_way, self.room)
        if not self.room.is_set():
            raise trio.ClosedResourceError
        self.full = False
        self.send_nowait(frames)


class World:
    """Calls, what came of them, and the connection that there is."""

    def __init__(self) -> None:
        self.calls = Calls("tcp://commands", "tcp://events", random.Random(1))
        self.outcomes: dict[str, Reply | AipError] = {}
        self.socket = FakeSocket()
        self.connection: Connection | None = None

    def connect(self, *, full: bool = False) -> FakeSocket:
        self.socket = FakeSocket(full=full)
        self.connection = self.calls.connected(self.socket)
        return self.socket

    def break_connection(self) -> None:
        assert self.connection is not None
        self.calls.lost(self.connection)
        self.socket.closed.set()

    async def command(
        self, name: str, command: int = GET_STATUS, seconds: float = 10.0, to_its_end: bool = False
    ) -> None:
        """Keep what comes of it."""
        try:
            self.outcomes[name] = await self.calls.command(command, payload, seconds, to_its_end=to_its_end)
        except AipError as error:
            self.outcomes[name] = error

    def reply(self, reply: Reply) -> None:
        assert self.connection is not None
        self.calls.received(self.connection, [b"", encode_reply(reply)])

    def succeed(self, nonce: int) -> None:
        self.reply(Reply(nonce, ApiCommand.GET_STATUS, ApiCommandRequestResult.SUCCESS, nonce))


def payload(nonce: int) -> bytes:
    return json.dumps({"nonce": nonce}).encode()


def answered(outcome: Reply | AipError, nonce: int) -> bool:
    return isinstance(outcome, Reply) and outcome.data == nonce


@pytest.mark.trio
async def test_replies_find_their_commands_in_any_order() -> None:
    world = World()
    socket = world.connect()
    async with trio.open_nursery() as nursery:
        for name in "abc":
            nursery.start_soon(world.command, name)
            await wait_all_tasks_blocked()
        for nonce in reversed(socket.sent):
            world.succeed(nonce)
    for name, nonce in zip("abc", socket.sent, strict=True):
        assert answered(world.outcomes[name], nonce)
    assert len(set(socket.sent)) == 3
    assert all(0 < nonce < 2**31 for nonce in socket.sent)
    assert world.calls.open == 0
    assert world.calls.tally.answered == 3


def test_nonces_begin_anew_before_they_are_too_large() -> None:
    calls = Calls("", "", random.Random(1))
    calls._next = 2**31 - 2
    nonces = [calls._begin(1, to_its_end=False).nonce for _ in range(3)]
    assert nonces == [2**31 - 2, 2**31 - 1, 1]


@pytest.mark.trio
async def test_a_command_waits_for_a_connection() -> None:
    world = World()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a")
        await wait_all_tasks_blocked()
        socket = world.connect()
        await wait_all_tasks_blocked()
        world.succeed(socket.sent[0])
    assert answered(world.outcomes["a"], socket.sent[0])


@pytest.mark.trio
async def test_without_a_connection_in_time_it_is_never_sent(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    await world.command("a", seconds=3.0)
    error = world.outcomes["a"]
    assert isinstance(error, ServiceUnreachable)
    assert (error.url, error.seconds) == ("tcp://commands", 3.0)
    assert "nobody listens there" in str(error)
    socket = world.connect()
    await wait_all_tasks_blocked()
    assert socket.sent == []
    assert world.calls.open == 0


@pytest.mark.trio
async def test_why_there_is_no_connection_is_told(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.calls.refused("it has a wrong CURVE key")
    await world.command("a")
    assert "wrong CURVE key" in str(world.outcomes["a"])


@pytest.mark.trio
async def test_what_a_full_connection_does_not_take_is_withdrawn(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    socket = world.connect(full=True)
    await world.command("a")
    assert isinstance(world.outcomes["a"], ServiceUnreachable)
    assert "does not take" in str(world.outcomes["a"])
    assert socket.sent == []
    assert world.connection is not None
    assert world.connection.open == {}


@pytest.mark.trio
async def test_without_a_reply_in_time_it_may_have_run(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    socket = world.connect()
    await world.command("a", seconds=2.0)
    error = world.outcomes["a"]
    assert isinstance(error, CommandTimeout)
    assert isinstance(error, TimeoutError)
    assert (error.command, error.nonce, error.awaited) == (GET_STATUS, socket.sent[0], "reply")
    world.succeed(socket.sent[0])
    assert (world.calls.tally.late, world.calls.tally.stray) == (1, 0)
    world.succeed(socket.sent[0])
    assert (world.calls.tally.late, world.calls.tally.stray) == (1, 1)


@pytest.mark.trio
async def test_commands_that_were_given_up_do_not_fill_the_memory(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.connect()
    for _ in range(1100):
        await world.command("a", seconds=0.001)
    assert world.connection is not None
    assert len(world.connection.open) == 1024


@pytest.mark.trio
async def test_a_broken_connection_fails_what_was_sent_and_nothing_else() -> None:
    world = World()
    first = world.connect()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "sent")
        await wait_all_tasks_blocked()
        first.full = True
        nursery.start_soon(world.command, "unsent")
        await wait_all_tasks_blocked()
        world.break_connection()
        nursery.start_soon(world.command, "later")
        await wait_all_tasks_blocked()
        second = world.connect()
        await wait_all_tasks_blocked()
        for nonce in second.sent:
            world.succeed(nonce)
    lost = world.outcomes["sent"]
    assert isinstance(lost, CommandLost)
    assert (lost.nonce, lost.awaited, lost.url) == (first.sent[0], "reply", "tcp://commands")
    assert isinstance(world.outcomes["unsent"], Reply)
    assert isinstance(world.outcomes["later"], Reply)
    assert len(first.sent) == 1
    assert len(second.sent) == 2
    assert not set(first.sent) & set(second.sent)
    assert world.calls.tally.connections == 2


@pytest.mark.trio
async def test_what_was_sent_just_before_its_connection_broke_is_lost() -> None:
    world = World()
    socket = world.connect(full=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a")
        await wait_all_tasks_blocked()
        socket.room.set()
        assert world.connection is not None
        world.calls.lost(world.connection)  # before its sender knows that it has been sent
    assert isinstance(world.outcomes["a"], CommandLost)
    assert world.calls.tally.lost == 1


@pytest.mark.trio
async def test_a_reply_of_zeros_answers_the_only_command_there_is() -> None:
    world = World()
    world.connect()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a")
        await wait_all_tasks_blocked()
        world.reply(ZEROS)
    assert world.outcomes["a"] == ZEROS


@pytest.mark.trio
async def test_a_reply_of_zeros_answers_none_of_several(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    socket = world.connect()
    await world.command("given up", seconds=1.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a")
        await wait_all_tasks_blocked()
        world.reply(ZEROS)  # it may be about the one that was given up
        await wait_all_tasks_blocked()
        assert "a" not in world.outcomes
        world.succeed(socket.sent[1])
    assert answered(world.outcomes["a"], socket.sent[1])
    assert world.calls.tally.stray == 1


@pytest.mark.trio
async def test_rubbish_is_counted_and_answers_nothing() -> None:
    world = World()
    socket = world.connect()
    assert world.connection is not None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a")
        await wait_all_tasks_blocked()
        for frames in ([b""], [b"", b"rubbish"], [b"", b"[]"], [b"", b"{}"], [b"x", b"y", b"z"]):
            world.calls.received(world.connection, frames)
        world.succeed(socket.sent[0] + 1)
        world.reply(Reply(0, ApiCommand.GET_STATUS, ApiCommandRequestResult.SUCCESS))
        await wait_all_tasks_blocked()
        assert not world.outcomes
        world.succeed(socket.sent[0])
    assert world.calls.tally.malformed == 5
    assert world.calls.tally.stray == 2


@pytest.mark.trio
async def test_data_that_have_no_form_fail_the_command_and_nothing_else() -> None:
    world = World()

    def unwritable(nonce: int) -> bytes:
        raise EncodeError("message", "planted")

    with pytest.raises(EncodeError):
        await world.calls.command(GET_STATUS, unwritable, 10.0)
    assert world.calls.open == 0


# To its end


def pending(nonce: int) -> Reply:
    return Reply(nonce, ApiCommand.GET_STATUS, ApiCommandRequestResult.PENDING_WITH_NOTIFICATION)


def result(nonce: int, command: int = GET_STATUS) -> Reply:
    return Reply(nonce, ApiCommand(command), ApiCommandRequestResult.SUCCESS, "the end")


@pytest.mark.trio
@pytest.mark.parametrize("overtakes", [False, True])
async def test_a_pending_command_is_waited_for_to_its_end(overtakes: bool) -> None:
    world = World()
    socket = world.connect()
    world.calls.listening(True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a", GET_STATUS, 10.0, True)
        await wait_all_tasks_blocked()
        nonce = socket.sent[0]
        first, second = (result, pending) if overtakes else (pending, result)
        for step in (first, second):
            assert not world.outcomes
            if step is pending:
                world.reply(pending(nonce))
            else:
                world.calls.published(result(nonce + 1))
                world.calls.published(result(nonce, STOP))
                world.calls.published(result(nonce))
            await wait_all_tasks_blocked()
    assert world.outcomes["a"] == result(nonce)


@pytest.mark.trio
async def test_the_end_of_a_command_that_the_service_has_no_name_for_is_its_end() -> None:
    world = World()
    socket = world.connect()
    world.calls.listening(True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a", 123456, 10.0, True)
        await wait_all_tasks_blocked()
        world.reply(pending(socket.sent[0]))
        world.calls.published(result(socket.sent[0], ApiCommand.USER_DEFINED))
    assert isinstance(world.outcomes["a"], Reply)


@pytest.mark.trio
async def test_a_command_that_is_not_pending_is_answered_by_its_reply() -> None:
    world = World()
    socket = world.connect()
    world.calls.listening(True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a", GET_STATUS, 10.0, True)
        await wait_all_tasks_blocked()
        world.succeed(socket.sent[0])
    assert answered(world.outcomes["a"], socket.sent[0])


@pytest.mark.trio
async def test_it_is_not_sent_before_its_end_could_be_heard(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    socket = world.connect()
    await world.command("a", seconds=1.0, to_its_end=True)
    error = world.outcomes["a"]
    assert isinstance(error, ServiceUnreachable)
    assert error.url == "tcp://events"
    assert socket.sent == []


@pytest.mark.trio
@pytest.mark.parametrize("breaks", [False, True])
async def test_an_end_that_does_not_come_is_told_as_that(
    breaks: bool, autojump_clock: trio.testing.MockClock
) -> None:
    world = World()
    socket = world.connect()
    world.calls.listening(True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "a", GET_STATUS, 2.0, True)
        await wait_all_tasks_blocked()
        world.reply(pending(socket.sent[0]))
        if breaks:
            world.break_connection()
    error = world.outcomes["a"]
    assert isinstance(error, CommandLost if breaks else CommandTimeout)
    assert error.awaited == "result"


# The end of all


@pytest.mark.trio
async def test_a_client_that_ends_fails_whatever_waits() -> None:
    world = World()
    world.connect()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "sent")
        await wait_all_tasks_blocked()
        world.break_connection()
        nursery.start_soon(world.command, "unsent")
        nursery.start_soon(world.command, "unheard", GET_STATUS, math.inf, True)
        await wait_all_tasks_blocked()
        world.calls.close()
        await world.command("after")
    assert isinstance(world.outcomes.pop("sent"), CommandLost)
    assert [type(outcome) for outcome in world.outcomes.values()] == [ClientNotRunning] * 3
    with pytest.raises(ClientNotRunning):
        await world.calls.wait_connected()


def test_a_command_can_be_cancelled_at_every_checkpoint_and_leaves_nothing_behind() -> None:
    async def scenario(point: CancelPoint) -> None:
        world = World()
        world.calls.listening(True)

        async def serve() -> None:
            await wait_all_tasks_blocked()
            socket = world.connect()
            await wait_all_tasks_blocked()
            for nonce in socket.sent:
                world.reply(pending(nonce))
                await wait_all_tasks_blocked()
                world.calls.published(result(nonce))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            with point:
                await world.command("a", to_its_end=True)
        assert world.calls.open == 0
        assert world.calls._to_their_ends == {}
        assert world.connection is not None
        assert not world.connection.sent
        assert set(world.connection.open.values()) <= {None}

    assert cancel_at_every_checkpoint(scenario) >= 2


@pytest.mark.trio
async def test_a_reply_of_zeros_to_what_was_not_sent_yet_is_no_reason_not_to_withdraw_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.connect(full=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.command, "withdrawn", GET_STATUS, 1.0)
        await wait_all_tasks_blocked()
        world.reply(ZEROS)
    assert isinstance(world.outcomes["withdrawn"], ServiceUnreachable)
    assert world.socket.sent == []
