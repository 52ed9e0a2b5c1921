"""Who may connect: the ZeroMQ Authentication Protocol (https://rfc.zeromq.org/spec/27/).

libzmq asks at ``inproc://zeromq.zap.01`` for each connection with CURVE, and lets anybody in where nobody
answers there. So this listens before the first such socket does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import trio
from zmq.utils import z85

from aip_trio.transport.zeromq._context import current_home
from aip_trio.transport.zeromq._curve import CurveServer
from aip_trio.transport.zeromq._kind import Kind
from aip_trio.transport.zeromq._traffic import Traffic

__all__ = ["Doorkeeper", "answer", "current_doorkeeper"]

_URL = "inproc://zeromq.zap.01"
_VERSION = b"1.0"


def answer(request: Sequence[bytes], doors: Mapping[str, CurveServer]) -> list[bytes]:
    """What libzmq is told about one that wants to connect: 200 and its key as its user id, or 400. Pure."""
    request_id = request[1] if len(request) > 1 else b""
    match request:
        case [version, _, domain, _address, _identity, b"CURVE", key] if (
            version == _VERSION and len(key) == 32
        ):
            door = doors.get(domain.decode(errors="replace"))
            name = z85.encode(key)
            if door is not None and door.lets_in(name.decode()):
                return [_VERSION, request_id, b"200", b"OK", name, b""]
        case _:
            pass
    return [_VERSION, request_id, b"400", b"not let in", b"", b""]


@attrs.define(eq=False)
class Doorkeeper:
    """Answers for all sockets of a run that listen with CURVE."""

    _doors: dict[str, CurveServer] = attrs.field(factory=dict[str, CurveServer], init=False)

    def open(self, curve: CurveServer) -> str:
        """Let these in at a door of their own: its name."""
        door = current_home().new_name()
        self._doors[door] = curve
        return door

    def shut(self, door: str) -> None:
        """Let nobody in there any more."""
        self._doors.pop(door, None)

    async def serve(self, traffic: Traffic) -> None:  # noqa: ASYNC910 - it serves until the run ends
        """Answer, until the run ends."""
        try:
            while True:
                await traffic.send(answer(await traffic.receive(), self._doors))
        except trio.ClosedResourceError:
            pass  # with the run
        finally:
            traffic.close_now()


_doorkeeper: trio.lowlevel.RunVar[Doorkeeper] = trio.lowlevel.RunVar("aip_trio.zeromq.doorkeeper")


def current_doorkeeper() -> Doorkeeper:
    """That of this run, made when first asked for."""
    try:
        return _doorkeeper.get()
    except LookupError:
        socket = current_home().new_socket(Kind.REP)
        socket.bind(_URL)
        doorkeeper = Doorkeeper()
        _doorkeeper.set(doorkeeper)
        trio.lowlevel.spawn_system_task(doorkeeper.serve, Traffic(Kind.REP, socket), name="zeromq-zap")
        return doorkeeper
