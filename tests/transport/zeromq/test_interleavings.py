"""Random interleavings of calls on two sockets, some of them cancelled, against what has to come out."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import attrs
import pytest
import trio
from hypothesis import given, settings, strategies as st

from aip_trio.transport.zeromq import Kind, ZeroMQSocket
from tests.transport.zeromq.joined import SCHEMES, address, meet

#: Seconds. Where a wake-up is lost, the example lasts as long as this.
PATIENCE = 10

Call = Literal["send", "send_nowait", "receive", "receive_nowait", "receive_many", "receive_with_peer"]
CALLS: tuple[Call, ...] = (
    "send",
    "send",
    "send_nowait",
    "receive",
    "receive_nowait",
    "receive_many",
    "receive_with_peer",
)


@attrs.frozen
class Part:
    """What one task does: a call on one of the two sockets, again and again."""

    call: Call
    side: int
    times: int
    #: checkpoints between two calls
    pause: int
    #: the call of this number is cancelled ``pause`` checkpoints after its begin
    cancelled: int | None


PARTS = st.builds(
    Part,
    st.sampled_from(CALLS),
    st.integers(0, 1),
    st.integers(1, 12),
    st.integers(0, 3),
    st.none() | st.integers(0, 11),
)


@attrs.define
class Pair:
    """Two sockets, and which messages went in and came out at each side."""

    sockets: tuple[ZeroMQSocket, ZeroMQSocket]
    #: what a message begins with: a ROUTER needs the peer's name
    heads: tuple[list[bytes], list[bytes]]
    sent: tuple[list[bytes], list[bytes]] = attrs.field(factory=lambda: ([], []), init=False)
    taken: tuple[list[bytes], list[bytes]] = attrs.field(factory=lambda: ([], []), init=False)

    async def perform(self, call: Call, side: int, message: bytes) -> None:
        """One call, and what becomes of it: there is no checkpoint between the two."""
        socket, taken = self.sockets[side], self.taken[side]
        match call:
            case "send":
                await socket.send([*self.heads[side], message])
                self.sent[side].append(message)
            case "receive":
                taken.append((await socket.receive())[-1])
            case "receive_with_peer":
                taken.append((await socket.receive_with_peer()).frames[-1])
            case "receive_many":
                taken.extend(frames[-1] for frames in await socket.receive_many())
            case _:
                try:
                    if call == "send_nowait":
                        socket.send_nowait([*self.heads[side], message])
                        self.sent[side].append(message)
                    else:
                        taken.append(socket.receive_nowait()[-1])
                except trio.WouldBlock:
                    pass

    async def play(self, number: int, part: Part) -> None:
        """A part, from its begin to its end."""
        async with trio.open_nursery() as nursery:
            for turn in range(part.times):
                with trio.CancelScope() as scope:
                    if turn == part.cancelled:
                        nursery.start_soon(_cancel, scope, part.pause)
                    await self.perform(part.call, part.side, b"%d %d %s" % (number, turn, b"." * 30000))
                await _pause(part.pause)

    async def drain(self, side: int) -> None:
        """Take what comes, for ever."""
        while True:
            await self.perform("receive_many", side, b"")

    @property
    def settled(self) -> bool:
        """Whether as much has come out as went in."""
        return all(len(self.taken[1 - side]) >= len(self.sent[side]) for side in (0, 1))


async def _pause(checkpoints: int) -> None:
    for _ in range(checkpoints):
        await trio.lowlevel.checkpoint()


async def _cancel(scope: trio.CancelScope, checkpoints: int) -> None:
    await _pause(checkpoints)
    scope.cancel()


async def perform(kind: Kind, url: str, parts: list[Part]) -> None:
    """All parts side by side: no message is lost, none comes twice, and nobody waits for ever."""
    other = Kind.DEALER if kind is Kind.ROUTER else kind
    async with (
        ZeroMQSocket(kind, send_limit=2, receive_limit=2, linger=0) as one,
        ZeroMQSocket(other, send_limit=2, receive_limit=2, linger=0, routing_id=b"peer") as two,
    ):
        await meet(one, two, url)
        await two.send([b"hello"])
        await one.receive()
        pair = Pair((one, two), ([b"peer"] if kind is Kind.ROUTER else [], []))
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as takers:
                for side in (0, 1):
                    takers.start_soon(pair.drain, side)
                async with trio.open_nursery() as senders:
                    for number, part in enumerate(parts):
                        home = senders if part.call.startswith("send") else takers
                        home.start_soon(pair.play, number, part)
                while not pair.settled:  # noqa: ASYNC110 - messages are what is waited for
                    await trio.sleep(0.0005)
                takers.cancel_scope.cancel()
        for side in (0, 1):
            assert sorted(pair.taken[1 - side]) == sorted(pair.sent[side])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", [Kind.DEALER, Kind.ROUTER, Kind.PAIR])
@settings(max_examples=25)
@given(parts=st.lists(PARTS, min_size=2, max_size=8))
def test_every_message_sent_arrives_once(kind: Kind, scheme: str, parts: list[Part]) -> None:
    with TemporaryDirectory() as folder:
        trio.run(perform, kind, address(scheme, Path(folder)), parts)
