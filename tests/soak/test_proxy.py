"""The network that breaks: what it passes on, and how it ends."""

import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

import attrs
import pytest
import trio
from hypothesis import given, strategies as st

from soak._fates import Direction, Ending, Fate, Stall, fate
from soak.proxy import Proxy

HEAD = b"GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: aip.v2+json, aip.v1\r\n\r\n"


@given(st.integers(0, 2**32), st.floats(0.01, 100))
def test_a_fate_is_within_its_bounds(seed: int, life: float) -> None:
    decided = fate(Random(seed), life)
    assert decided == fate(Random(seed), life)
    assert 0 <= decided.after <= 5 * life
    end = 0.0
    for stall in decided.stalls:
        assert end <= stall.after < decided.after
        end = stall.after + stall.lasts
    assert (decided.bytes > 0) == (decided.ending is Ending.TRUNCATE)
    assert (decided.silence > 0) == (decided.ending is Ending.SILENCE)


def test_every_ending_comes_about() -> None:
    random = Random(1)
    assert {fate(random, 1.0).ending for _ in range(100)} == set(Ending)


@attrs.define
class Fixed(Proxy):
    """A network with one fate for all."""

    decided: Fate = attrs.field(kw_only=True)

    def fate(self) -> Fate:
        return self.decided


async def echo(stream: trio.SocketStream) -> None:
    async with stream:
        with suppress(trio.BrokenResourceError):
            async for data in stream:
                await stream.send_all(data)


async def serve(nursery: trio.Nursery, handler: Callable[[trio.SocketStream], Awaitable[object]]) -> int:
    """Serve on the loopback; the port."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, handler, [listener])
    port: int = listener.socket.getsockname()[1]
    return port


async def through(decided: Fate, sent: bytes, *, offer: str | None = None) -> tuple[bytes, bool, Proxy]:
    """What comes back from an echo through the network, whether it was reset, and what was counted."""
    came, reset = b"", False
    async with trio.open_nursery() as nursery:
        proxy = Fixed(await serve(nursery, echo), Random(1), 1.0, offer, decided=decided)
        port = await serve(nursery, proxy.serve)
        async with await trio.open_tcp_stream("127.0.0.1", port) as client:
            await client.send_all(sent)
            try:
                async for data in client:
                    came += data
            except trio.BrokenResourceError:
                reset = True
        nursery.cancel_scope.cancel()
    return came, reset, proxy


@pytest.mark.trio
@pytest.mark.parametrize("ending", [Ending.DROP, Ending.RESET, Ending.SILENCE])
async def test_a_connection_lives_until_it_is_ended(ending: Ending) -> None:
    came, reset, proxy = await through(Fate(ending, 0.1, silence=0.02), b"hello")
    assert came == b"hello"
    assert reset == (ending is not Ending.DROP)
    assert proxy.counts[ending.value] == 1
    assert proxy.counts["connections"] == 1


@pytest.mark.trio
@pytest.mark.parametrize("direction", Direction)
async def test_a_connection_is_truncated_at_its_byte(direction: Direction) -> None:
    came, reset, proxy = await through(Fate(Ending.TRUNCATE, 5.0, direction=direction, bytes=3), b"hello")
    assert reset
    assert b"hel".startswith(came)  # of what was on its way at a reset, nobody knows
    assert proxy.counts["truncate"] == 1


@pytest.mark.trio
async def test_what_is_sent_in_a_stall_comes_after_it() -> None:
    began = trio.current_time()
    came, _, proxy = await through(Fate(Ending.DROP, 0.3, (Stall(0.0, 0.15),)), b"hello")
    assert came == b"hello"
    assert trio.current_time() - began >= 0.15
    assert proxy.counts["stalls"] == 1


@pytest.mark.trio
async def test_the_link_s_version_is_seen_and_may_be_chosen() -> None:
    came, _, proxy = await through(Fate(Ending.DROP, 0.1), HEAD)
    assert came == HEAD
    assert proxy.counts["link aip.v2+json, aip.v1"] == 1
    came, _, proxy = await through(Fate(Ending.DROP, 0.1), HEAD, offer="aip.v1")
    assert came == HEAD.replace(b"aip.v2+json, aip.v1", b"aip.v1")
    assert proxy.counts["link aip.v1"] == 1


@pytest.mark.trio
async def test_a_server_that_is_away_is_a_connection_that_ends() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        proxy = Proxy(bound.getsockname()[1], Random(1), 1.0)
        ours, theirs = trio.socket.socketpair()
        client = trio.SocketStream(ours)
        await proxy.serve(trio.SocketStream(theirs))
        assert await client.receive_some() == b""
        await client.aclose()
    assert proxy.counts["unreachable"] == 1
