"""The server's side of the handshake."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import NoReturn

import trio

from aip_trio.errors import HandshakeRefused
from aip_trio.transport._handshake import Handshake, Refusal
from aip_trio.transport._head import HeadTooLong, read_head
from aip_trio.transport._opened import Opening, peer_of
from aip_trio.transport._opening import Hearing, NoHandshake

__all__ = ["greet", "turn_away"]

_CHUNK = 16384
#: Seconds that a client has for reading why it was refused.
_FAREWELL = 1.0


async def greet(
    stream: trio.abc.Stream,
    hearing: Hearing,
    refusal_of: Callable[[Handshake], Refusal | None],
    subprotocol_of: Callable[[Handshake], str | None],
    nursery: trio.Nursery,
) -> Opening:
    """Let a client in, or refuse it. A checkpoint; set a deadline.

    Raises HandshakeRefused where it was told why not, BrokenResourceError where it went.
    """
    handshake, rest = await _request(stream, hearing)
    refusal = refusal_of(handshake)
    if refusal is not None:
        await _refuse(stream, refusal, handshake.path)
    return await hearing.accept(stream, rest, subprotocol_of(handshake), nursery)


async def turn_away(stream: trio.abc.Stream, hearing: Hearing, refusal: Refusal) -> None:
    """Hear what a client asks for, and refuse it whatever that is. As `greet`."""
    handshake, _ = await _request(stream, hearing)
    await _refuse(stream, refusal, handshake.path)


async def _request(stream: trio.abc.Stream, hearing: Hearing) -> tuple[Handshake, bytes]:
    """The client's request, and what came behind it."""
    try:
        head, rest = await read_head(stream)
        return hearing.hear(head, peer_of(stream)), rest
    except NoHandshake as error:
        refusal = error.refusal
    except HeadTooLong as error:
        refusal = NoHandshake(431, str(error)).refusal
    return await _refuse(stream, refusal, "?")


async def _refuse(stream: trio.abc.Stream, refusal: Refusal, target: str) -> NoReturn:
    """Say no, wait until it was read, and raise HandshakeRefused."""
    await stream.send_all(_answer(refusal))
    with trio.move_on_after(_FAREWELL):  # closing on what it still sends would take our answer back
        if isinstance(stream, trio.SocketStream):
            await stream.send_eof()
        while await stream.receive_some(_CHUNK):
            pass
    raise HandshakeRefused(target, refusal.status, refusal.body)


def _answer(refusal: Refusal) -> bytes:
    """The refusal in HTTP."""
    try:
        phrase = HTTPStatus(refusal.status).phrase
    except ValueError:  # a status of the program's own
        phrase = ""
    body = refusal.body.encode(errors="replace")
    lines = [
        f"HTTP/1.1 {refusal.status} {phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    if refusal.status == HTTPStatus.UPGRADE_REQUIRED:
        lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"]  # RFC 6455, section 4.2.2
    return "\r\n".join([*lines, "", ""]).encode() + body
