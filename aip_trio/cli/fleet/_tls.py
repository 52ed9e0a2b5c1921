"""Certificates, from the files that the options name."""

import ssl
from pathlib import Path

from aip_trio.errors import InvalidOption

__all__ = ["client_tls", "server_tls"]


def server_tls(
    certificate: Path | None, key: Path | None, client_ca: Path | None = None
) -> ssl.SSLContext | None:
    """What a server needs; with ``client_ca`` it demands certificates of clients. Raises InvalidOption."""
    if certificate is None:
        for name, file in (("tls-key", key), ("tls-client-ca", client_ca)):
            if file is not None:
                raise InvalidOption(name, file, "is of no use by itself: give --tls-cert too")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.options |= ssl.OP_NO_RENEGOTIATION  # costs the server more than the client
    _show(context, certificate, key)
    if client_ca is not None:
        _trust(context, "tls-client-ca", client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_tls(
    url: str, ca: Path | None, certificate: Path | None, key: Path | None
) -> ssl.SSLContext | None:
    """What a client needs for this URL; None: what the system trusts. Raises InvalidOption."""
    if certificate is None and key is not None:
        raise InvalidOption("tls-key", key, "is of no use by itself: give --tls-cert too")
    if ca is None and certificate is None:
        return None
    if not url.lower().startswith("wss:"):
        raise InvalidOption(
            "url", url, "is not encrypted, and so has no use for certificates: begin it with wss://"
        )
    context = ssl.create_default_context()
    if ca is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # this authority, and none of the system's
        _trust(context, "tls-ca", ca)
    if certificate is not None:
        _show(context, certificate, key)
    return context


def _trust(context: ssl.SSLContext, option: str, file: Path) -> None:
    try:
        context.load_verify_locations(file)
    except (OSError, ValueError) as error:
        raise InvalidOption(
            option, file, f"cannot be used ({_told(error)}): give an authority's certificate in PEM"
        ) from error


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl's own errors are OSErrors
        raise InvalidOption(
            "tls-cert", certificate, f"cannot be used ({_told(error)}): give a certificate and its key in PEM"
        ) from error


def _told(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _no_password() -> str:
    """A program that asks for one on the terminal would hang where there is none."""
    raise ValueError("the key has a password: give one without")
