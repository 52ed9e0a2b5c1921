"""Frames that are meant to cost more than they are worth. Others notice nothing of any of them."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio

from aip_trio.endpoints import DeviceServerEndpoint, Limits
from tests.endpoints.peer import Peer, device
from tests.endpoints.support import serving, until
from tests.security.attacker import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    Attacker,
    frame,
    intruder,
    message,
)

pytestmark = pytest.mark.trio

MIB = 1 << 20


@pytest.fixture(params=["native", "websockets"])
def adapter(request: pytest.FixtureRequest) -> str:
    """What the server speaks with. Not trio-websocket, whose limits are its own: docs/how-to/security.md."""
    return str(request.param)


@asynccontextmanager
async def besieged(
    adapter: str,
    limits: Limits | None = None,
) -> AsyncGenerator[tuple[DeviceServerEndpoint, Attacker, Peer]]:
    """A server, one that attacks it, and one that minds its own business."""
    async with (
        serving(adapter=adapter, limits=limits) as server,
        device(server.url, "bystander") as bystander,
        intruder(server.port, "dev-1") as it,
    ):
        yield server, it, bystander
        with trio.fail_after(2):
            await bystander.heartbeat()


async def test_a_message_beyond_the_limit_is_refused_by_its_header(adapter: str) -> None:
    async with besieged(adapter, Limits(message_size=MIB)) as (_, it, bystander):
        await it.write(frame(TEXT, size=100 * MIB))  # and not one byte of it
        await bystander.heartbeat()
        assert await it.close_code() == 1009


async def test_a_length_that_no_memory_has_is_refused_by_its_header(adapter: str) -> None:
    async with besieged(adapter) as (_, it, _):
        await it.write(frame(BINARY, size=(1 << 63) - 1))
        assert await it.close_code() == 1009


async def test_a_message_that_grows_beyond_the_limit_piece_by_piece_is_refused(adapter: str) -> None:
    async with besieged(adapter, Limits(message_size=MIB)) as (_, it, _):
        await it.write(frame(TEXT, b"x" * 1000, fin=False))
        piece = frame(CONTINUATION, b"x" * 65000, fin=False)
        for _ in range(30):
            await it.flood(piece)
        assert await it.close_code() in (1009, 1006)  # 1006: its own flood has overrun our word


async def test_a_hundred_thousand_empty_pieces_are_one_message(adapter: str) -> None:
    async with besieged(adapter) as (_, it, bystander):
        text = json.dumps({"type": "heartbeat", "status": "ok"}).encode()
        await it.write(frame(TEXT, text[:5], fin=False))
        pieces = frame(CONTINUATION, fin=False) * 10_000
        for _ in range(10):
            await it.write(pieces)
            await bystander.heartbeat()
        await it.write(frame(CONTINUATION, text[5:]))
        assert (await it.answer())["type"] == "heartbeat"


async def test_of_a_flood_of_pings_the_last_are_answered_and_nothing_piles_up(adapter: str) -> None:
    async with besieged(adapter) as (server, it, bystander):
        flood = b"".join(frame(PING, str(number).encode().rjust(125)) for number in range(5_000))

        async def flood_twice() -> None:
            for _ in range(2):
                await it.flood(flood)  # reads nothing meanwhile: 1.3 MB of pongs would wait for it
            await it.flood(message("heartbeat"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood_twice)
            for _ in range(20):
                await bystander.heartbeat()
        pongs = 0
        while (await it.frame())[0] != TEXT:
            pongs += 1
        assert 1 <= pongs <= 10_000
        assert server.statistics().slow == 0


async def test_after_a_close_frame_nothing_counts(adapter: str) -> None:
    async with besieged(adapter) as (server, it, _):
        await it.flood(frame(CLOSE, (1000).to_bytes(2)) * 10_000 + message("heartbeat") * 1000)
        assert await it.close_code() in (1000, 1006)
        with trio.fail_after(5):
            await until(lambda: "dev-1" not in server.devices)


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(TEXT, b"\xed\xa0\x80"), 1007),  # half of a pair: UTF-8 has none
        (frame(TEXT, b"\xc0\xaf"), 1007),  # '/' in two bytes
        (frame(TEXT, b"\xf4\x90\x80\x80"), 1007),  # beyond Unicode
        (frame(CLOSE, (1000).to_bytes(2) + b"\xff"), 1007),
        (frame(CLOSE, b"\x03"), 1002),
        (frame(CLOSE, (1006).to_bytes(2)), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(PING, fin=False), 1002),
        (frame(CONTINUATION, b"x"), 1002),
        (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
        (frame(3, b"x"), 1002),
        (frame(11), 1002),
        (b"\xc1\x80\x00\x00\x00\x00", 1002),  # compressed, which was not agreed on
        (b"\x81\x01x", 1002),  # without a mask
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
async def test_what_is_no_frame_closes_its_own_connection(adapter: str, attack: bytes, code: int) -> None:
    async with besieged(adapter) as (_, it, _):
        await it.write(attack)
        assert await it.close_code() == code


async def test_a_length_in_more_bytes_than_it_needs_is_none() -> None:
    """Of the native adapter; `websockets` reads it as what it means."""
    async with besieged("native") as (_, it, _):
        await it.write(b"\x81\xfe\x00\x05\x00\x00\x00\x00hello")
        assert await it.close_code() == 1002


DEEP = b'{"type": "heartbeat", "status": "ok", "metadata": {"a": %s}}'


@pytest.mark.parametrize(
    "text",
    [
        DEEP % (b"[" * 100_000 + b"]" * 100_000),
        DEEP % (b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        b"[" * MIB,
        b'{"a":' * 200_000,
        DEEP % (b"-" * 100_000),
        DEEP % (b"1" * 100_000 + b"."),
        b'{"type": "heartbeat", "status": ' + b"9" * 500_000 + b"}",
        b'{"type": "heartbeat", "status": "ok", "metadata": {"a": "\\ud800"}}',
        b'{"type": "heartbeat", "status": "ok", "metadata": {"a": NaN}}',
        b'"' + b"\\u0041" * 200_000,
    ],
    ids=lambda text: text[:60].decode(),
)
async def test_what_is_no_message_is_answered_with_an_error_and_the_connection_lives_on(
    adapter: str, text: bytes
) -> None:
    async with besieged(adapter) as (_, it, _):
        await it.write(frame(TEXT, text))
        answer = await it.answer()
        assert answer["type"] == "error"
        assert len(answer["error"]) < 2000
        await it.write(message("heartbeat"))
        assert (await it.answer())["type"] == "heartbeat"


@pytest.mark.parametrize(
    "metadata",
    [
        b'{"n": ' + b"9" * 4_000 + b"}",
        b'{"n": 1e400}',
        b'{"n": -0}',
        b"{" + b", ".join(b'"k%d": 1' % number for number in range(50_000)) + b"}",
        b'{"a": "%s"}' % (b"x" * (2 * MIB)),
    ],
    ids=lambda text: text[:30].decode(),
)
async def test_what_is_merely_large_harms_nobody(adapter: str, metadata: bytes) -> None:
    async with besieged(adapter) as (_, it, _):
        await it.write(frame(TEXT, b'{"type": "heartbeat", "status": "ok", "metadata": %s}' % metadata))
        assert (await it.answer())["type"] in ("heartbeat", "error")
        await it.write(message("heartbeat"))
        assert (await it.answer())["type"] == "heartbeat"


async def test_of_a_key_that_comes_twice_one_reading_counts_everywhere(adapter: str) -> None:
    """What the identity is checked by is what is acted on: the last one."""
    async with besieged(adapter) as (_, it, _):
        for first, last, refused in (("dev-1", "bystander", True), ("bystander", "dev-1", False)):
            text = f'{{"type": "heartbeat", "status": "ok", "client_id": "{first}", "client_id": "{last}"}}'
            await it.write(frame(TEXT, text.encode()))
            assert (await it.answer())["type"] == ("error" if refused else "heartbeat")
