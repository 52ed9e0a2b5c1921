"""URLs of WebSockets."""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs

from aip_trio.errors import InvalidUrl

__all__ = ["WebSocketUrl", "authority"]

_PORTS = {"ws": 80, "wss": 443}


@attrs.frozen
class WebSocketUrl:
    """Where to connect to."""

    text: str
    secure: bool
    host: str
    port: int
    #: path and query
    target: str

    @classmethod
    def parse(cls, url: object) -> WebSocketUrl:
        """Raises InvalidUrl."""
        if not isinstance(url, str):
            raise InvalidUrl(url, "is no text: give a URL such as 'ws://127.0.0.1:8765/ws'")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise InvalidUrl(url, "has characters that a URL cannot have: percent-encode them")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise InvalidUrl(url, f"{error}: give one such as 'ws://127.0.0.1:8765/ws'") from error
        if parts.scheme not in _PORTS:
            raise InvalidUrl(url, f"scheme {parts.scheme!r} is no WebSocket's: begin it with ws:// or wss://")
        if not parts.hostname:
            raise InvalidUrl(url, "names no host: give one such as 'ws://127.0.0.1:8765/ws'")
        try:
            parts.hostname.encode("idna")
        except UnicodeError as error:
            raise InvalidUrl(url, f"host {parts.hostname!r} is no host name: {error}") from error
        if "@" in parts.netloc:
            raise InvalidUrl("(not shown)", "carries a user or password: send them in headers=")
        if "#" in url:
            raise InvalidUrl(url, "has a fragment, which stays on this side: leave out what follows the #")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        secure = parts.scheme == "wss"
        return cls(url, secure, parts.hostname, _PORTS[parts.scheme] if port is None else port, target)

    @property
    def host_header(self) -> str:
        """The host, and the port where it is not the scheme's own."""
        if self.port == _PORTS["wss" if self.secure else "ws"]:
            return authority(self.host)
        return authority(self.host, self.port)


def authority(host: str, port: int | None = None) -> str:
    """``host`` or ``host:port`` as in a URL: IPv6 addresses stand in brackets."""
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"
