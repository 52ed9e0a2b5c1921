"""Connecting: TCP, TLS, and the handshake of the adapter's library."""

from __future__ import annotations

import ssl
from typing import cast

import trio

from aip_trio.actors import current_environment
from aip_trio.errors import ConnectFailed, TransportError
from aip_trio.transport._opened import Opening
from aip_trio.transport._opening import Asking
from aip_trio.transport._url import WebSocketUrl

__all__ = ["open_websocket"]

#: How a TLS server ends a connection without a word.
_BROKEN_OFF = (ssl.SSLEOFError, trio.BrokenResourceError, ConnectionResetError, BrokenPipeError)


async def open_websocket(
    url: WebSocketUrl, ssl_context: ssl.SSLContext | None, asking: Asking, nursery: trio.Nursery
) -> Opening:
    """Connect. A checkpoint; raises ConnectFailed, HandshakeRefused."""
    try:
        stream = await _open_stream(url, ssl_context)
        try:
            return await asking.open(stream, nursery)
        except BaseException:
            with trio.CancelScope(shield=True):  # closing forcefully waits for nobody
                await trio.aclose_forcefully(stream)
            raise
    except TransportError:
        raise
    except (OSError, trio.BrokenResourceError) as error:
        cause = _innermost(error)
        reason = " ".join(str(cause).split()) or type(cause).__qualname__
        if url.secure and isinstance(cause, _BROKEN_OFF):
            reason += "; so does a server that wants a certificate, and gets none that it trusts"
        raise ConnectFailed(url.text, reason) from error


async def _open_stream(url: WebSocketUrl, ssl_context: ssl.SSLContext | None) -> trio.abc.Stream:
    stream = await current_environment().open_tcp_stream(url.host, url.port)
    if not url.secure:
        return stream
    context = ssl_context if ssl_context is not None else ssl.create_default_context()
    secured = trio.SSLStream(stream, context, server_hostname=url.host, https_compatible=True)
    try:
        await secured.do_handshake()
    except BaseException:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)
        raise
    return secured


def _innermost(error: BaseException) -> BaseException:
    """The cause that knows best what went wrong."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):  # one for each address that was tried
        return _innermost(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return error
