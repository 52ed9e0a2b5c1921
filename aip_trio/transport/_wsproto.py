"""Handshakes by wsproto, for connections that are ours from there on."""

from __future__ import annotations

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, RejectConnection, Request
from wsproto.extensions import Extension
from wsproto.utilities import RemoteProtocolError

from aip_trio.transport import _deflate as deflate
from aip_trio.transport._asking import PlainAsking
from aip_trio.transport._codec import Codec
from aip_trio.transport._frames import Frames
from aip_trio.transport._handshake import Handshake
from aip_trio.transport._opened import Opened, Opening
from aip_trio.transport._opening import Hearing, NoHandshake, NoWebSocket, Wish
from aip_trio.transport._settings import Settings

__all__ = ["WsprotoAsking", "WsprotoHearing"]


class _Deflate(Extension):
    """permessage-deflate, as far as the handshake: wsproto shall not touch the frames."""

    name = deflate.NAME

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self.agreed: deflate.Deflation | None = None

    def offer(self) -> str:
        return _text(deflate.OFFER)

    def accept(self, offer: str) -> str | None:
        """A server's answer. Of several offers the first is accepted that can be."""
        accepted = None if self.agreed else deflate.accept(_parameters(offer), self._threshold)
        if accepted is None:
            return None
        answer, self.agreed = accepted
        return _text(answer)

    def finalize(self, offer: str) -> None:
        """A server's answer has come."""
        agreed = None if self.agreed else deflate.agree(_parameters(offer), self._threshold)
        if agreed is None:
            raise RemoteProtocolError(f"{offer} is no answer to what was offered")
        self.agreed = agreed


def _text(parameters: deflate.Parameters) -> str:
    return "; ".join(name if value is None else f"{name}={value}" for name, value in parameters)


def _parameters(offer: str) -> deflate.Parameters:
    """Of an extension, whose name comes first."""
    parts = [part.partition("=") for part in offer.split(";")[1:]]
    return [(name.strip(), value.strip().strip('"') if sign else None) for name, sign, value in parts]


def _extensions(settings: Settings) -> list[_Deflate]:
    return [] if settings.deflates_from is None else [_Deflate(settings.deflates_from)]


class WsprotoAsking(PlainAsking):
    """The client's side."""

    def __init__(self, wish: Wish, settings: Settings) -> None:
        self._settings = settings
        self._extensions = _extensions(settings)
        self._websocket = WSConnection(ConnectionType.CLIENT)
        request = Request(
            wish.url.host_header,
            wish.url.target,
            extra_headers=list(wish.headers),
            subprotocols=list(wish.subprotocols),
            extensions=[*self._extensions],
        )
        super().__init__(wish.url, self._websocket.send(request))

    def agree(self, head: bytes, rest: bytes) -> tuple[str | None, Codec]:
        try:
            self._websocket.receive_data(head)
            (answer,) = self._websocket.events()
        except (RemoteProtocolError, ValueError) as error:  # ValueError: it leaves some of it unchecked
            raise NoWebSocket(str(error)) from error
        assert isinstance(answer, AcceptConnection)
        return answer.subprotocol, Frames(
            client=True,
            max_size=self._settings.max_size,
            received=rest,
            deflation=self._extensions[0].agreed if self._extensions else None,
        )


class WsprotoHearing(Hearing):
    """The server's side."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._websocket = WSConnection(ConnectionType.SERVER)

    def hear(self, head: bytes, peer: str) -> Handshake:
        try:
            self._websocket.receive_data(head)
            (request,) = self._websocket.events()
        except RemoteProtocolError as error:
            hint = error.event_hint
            status = hint.status_code if isinstance(hint, RejectConnection) else 400
            raise NoHandshake(status, str(error)) from error
        except ValueError as error:  # it leaves some of it unchecked
            raise NoHandshake(400, str(error)) from error
        assert isinstance(request, Request)
        headers = [(name.decode(), value.decode("latin-1")) for name, value in request.extra_headers]
        headers.append(("host", request.host))
        return Handshake.of(request.target, headers, request.subprotocols, peer)

    async def accept(
        self, stream: trio.abc.Stream, rest: bytes, subprotocol: str | None, nursery: trio.Nursery
    ) -> Opening:
        extensions = _extensions(self.settings)
        await stream.send_all(self._websocket.send(AcceptConnection(subprotocol, [*extensions])))
        codec = Frames(
            client=False,
            max_size=self.settings.max_size,
            received=rest,
            deflation=extensions[0].agreed if extensions else None,
        )
        return Opened(stream, subprotocol, codec)
