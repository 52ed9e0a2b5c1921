"""Connecting: TCP, TLS, and the handshake of the adapter's library."""

from __future__ import annotations

import ssl

import trio

from aip_trio.actors import current_environment
from aip_trio.errors import TransportError
from aip_trio.transport._opened import Opening
from aip_trio.transport._opening import Asking
from aip_trio.transport._unreached import connect_failed
from aip_trio.transport._url import WebSocketUrl

__all__ = ["open_websocket"]


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
        raise connect_failed(url, error) from error


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
