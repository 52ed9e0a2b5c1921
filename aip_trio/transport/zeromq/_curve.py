"""Keys of CURVE, ZeroMQ's encryption.

Each side has a pair of keys. A client knows the server's public key, and a server those of its clients
(https://rfc.zeromq.org/spec/25/). A key is text of 40 characters (Z85).
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import zmq
from zmq.utils import z85

from aip_trio.errors import CurveMissing, InvalidKey, InvalidSpec

__all__ = ["Curve", "CurveClient", "CurveKeys", "CurveServer"]

_LENGTH = 40


def _check_key(field: str, key: object) -> str:
    if not isinstance(key, str):
        raise InvalidKey(field, f"is a {type(key).__qualname__}, and keys are text")
    if len(key) != _LENGTH:
        raise InvalidKey(field, f"has {len(key)} characters")
    try:
        z85.decode(key)
    except Exception:  # noqa: BLE001 - KeyError, struct.error; and its text may be the key
        raise InvalidKey(field, "has characters that Z85 does not have") from None
    return key


def _key(_: object, field: attrs.Attribute[str], key: object) -> None:
    _check_key(field.name, key)


def _check_curve() -> None:
    if not zmq.has("curve"):
        raise CurveMissing(zmq.zmq_version())


@attrs.frozen
class CurveKeys:
    """A pair of keys: ``public`` for others to know, ``secret`` for nobody, nor shown. Raises InvalidKey."""

    public: str = attrs.field(validator=_key)
    secret: str = attrs.field(validator=_key, repr=False)

    @classmethod
    def generate(cls) -> CurveKeys:
        """A new pair, from the system's randomness. Raises CurveMissing."""
        _check_curve()
        public, secret = zmq.curve_keypair()
        return cls(public.decode(), secret.decode())

    @classmethod
    def of_secret(cls, secret: str) -> CurveKeys:
        """The pair that has this secret key. Raises InvalidKey, CurveMissing."""
        _check_curve()
        return cls(zmq.curve_public(_check_key("secret", secret).encode()).decode(), secret)


def _client_keys(keys: Iterable[str]) -> frozenset[str]:
    if isinstance(keys, str):
        raise InvalidKey("clients", "is one key, and a list of them is wanted")
    return frozenset(_check_key("clients", key) for key in keys)


@attrs.frozen
class CurveServer:
    """Whom a socket that listens lets in: those who have the secret of one of these public keys, nobody else.

    ``allow_any``: anybody who knows this side's public key; what is sent is then encrypted, and that is all.
    Raises InvalidKey, InvalidSpec.
    """

    secret_key: str = attrs.field(validator=_key, repr=False)
    clients: frozenset[str] = attrs.field(default=frozenset[str](), converter=_client_keys)
    allow_any: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.allow_any and self.clients:
            raise InvalidSpec("allow_any", True, "clients= would be without effect: give one of the two")

    def lets_in(self, key: str) -> bool:
        """Whether the owner of this public key may connect."""
        return self.allow_any or key in self.clients

    def set_up(self, socket: zmq.Socket[bytes], door: str) -> None:
        """Have a socket that does not listen yet ask at this door who is let in. Raises CurveMissing."""
        _check_curve()
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.secret_key.encode())
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.ZAP_DOMAIN, door.encode())
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


@attrs.frozen
class CurveClient:
    """The server that a socket connects to, by its public key, and the secret key of this side.

    Raises InvalidKey.
    """

    server_key: str = attrs.field(validator=_key)
    secret_key: str = attrs.field(validator=_key, repr=False)

    def set_up(self, socket: zmq.Socket[bytes]) -> None:
        """Give a socket that is not connected yet these keys. Raises CurveMissing."""
        socket.setsockopt(zmq.CURVE_PUBLICKEY, CurveKeys.of_secret(self.secret_key).public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.secret_key.encode())
        socket.setsockopt(zmq.CURVE_SERVERKEY, self.server_key.encode())


#: What a socket is given as ``curve=``.
Curve = CurveServer | CurveClient
