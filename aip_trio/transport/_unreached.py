"""Why a client could not connect, and what it may do about it."""

from __future__ import annotations

import ssl
from typing import cast

import trio

from aip_trio.errors import ConnectFailed
from aip_trio.transport._url import WebSocketUrl

__all__ = ["connect_failed"]

#: How a server ends a connection without a word, such as one that speaks TLS.
_BROKEN_OFF = (ssl.SSLEOFError, trio.BrokenResourceError, ConnectionResetError, BrokenPipeError)

#: OpenSSL's codes for a certificate whose authority it does not know (x509_vfy.h, X509_V_ERR_*): two of a
#: self-signed one, by itself or in its chain, and two of an issuer that is not there.
_NOT_TRUSTED = (18, 19, 20, 21)


def connect_failed(url: WebSocketUrl, error: BaseException) -> ConnectFailed:
    """What to raise for a connection that the network or TLS has failed."""
    cause = _innermost(error)
    reason = " ".join(str(cause).split()) or type(cause).__qualname__
    return ConnectFailed(url.text, reason + _advice(url, cause))


def _advice(url: WebSocketUrl, cause: BaseException) -> str:
    """What else there is to say of a failure that looks like one of TLS."""
    if isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in _NOT_TRUSTED:
        return "; trust its authority: by ssl_context, --tls-ca, or the environment's SSL_CERT_FILE"
    if not isinstance(cause, _BROKEN_OFF):
        return ""
    if url.secure:
        return "; so does a server that wants a certificate, and gets none that it trusts"
    return "; so does a server that has a certificate: connect to it by wss://"


def _innermost(error: BaseException) -> BaseException:
    """The cause that knows best what went wrong."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):  # one for each address that was tried
        return _innermost(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return error
