"""Who may speak on a connection, and for whom: wire/aip.md 1 and 2, decided without I/O."""

from collections.abc import Container

import attrs

from aip_trio.errors import DecodeError
from aip_trio.errors._base import show
from aip_trio.messages import ClientMessage, ClientMessageType, ClientType, Codec, Format, Register

__all__ = ["LONGEST_ID", "Accepted", "Admission", "Refused", "id_fault"]

#: Characters of an id, at most.
LONGEST_ID = 256


@attrs.frozen
class Accepted:
    """The first frame is a proper registration."""

    register: Register


@attrs.frozen
class Refused:
    """The connection is not wanted: the ``reason`` goes to the peer in an `error`, then it is closed."""

    reason: str


def id_fault(client_id: str | None) -> str | None:
    """What is wrong with an id, or None: it becomes a name in the tree of actors and in paths."""
    if not client_id:
        return "client_id is missing: give a non-empty one"
    if len(client_id) > LONGEST_ID:
        return f"client_id has {len(client_id)} characters: give at most {LONGEST_ID}"
    if "/" in client_id or not client_id.isprintable():
        return f"client_id {show(client_id)} has a '/' or a character that cannot be printed: leave it out"
    return None


class Admission:
    """The rules of a connection's first frame, and of each one after it. Pure: no state, no I/O.

    What depends on who else is connected is asked for by itself: `target`, and the texts of the refusals.
    """

    def first_frame(self, frame: ClientMessage | DecodeError) -> Accepted | Refused:
        """Decide on a connection's first frame, or on why it could not be read."""
        if isinstance(frame, DecodeError):
            return Refused(f"the first frame has to be a register; it is {frame}")
        if frame.type is not ClientMessageType.REGISTER:
            return Refused(f"the first frame has to be a register; it is of type {frame.type.value!r}")
        fault = id_fault(frame.client_id)
        if fault is not None:
            return Refused(fault)
        assert frame.client_id is not None
        target = frame.target_id or None
        if frame.client_type is ClientType.DEVICE and target not in (None, frame.client_id):
            return Refused(f"device {frame.client_id!r} may not name device {show(target)} in target_id")
        return Accepted(Register(frame.client_id, frame.client_type, target, frame.metadata))

    def target(self, register: Register, devices: Container[str]) -> Refused | None:
        """Whether a constellation's device is connected, where it names one."""
        target = register.target_id
        if register.client_type is ClientType.DEVICE or target is None or target in devices:
            return None
        return Refused(f"device {show(target)} is not connected")

    def taken(self, client_id: str) -> Refused:
        """The refusal of a client whose namesake is connected, and alive."""
        return Refused(f"client_id {client_id!r} is connected already, and alive")

    def check(
        self,
        message: ClientMessage,
        registered: Register,
        frame: bytes | None = None,
        format: Format = Format.JSON,
    ) -> str | None:
        """Why a later frame goes no further, or None; an absent field means what was registered.

        ``frame``: the message's own bytes, in this ``format``. With them a frame that does not name its
        client_type, and was therefore read as a device's, is told from one that does.
        """
        if message.type is ClientMessageType.REGISTER:
            return f"{registered.client_id!r} is registered on this connection already"
        if message.client_id is not None and message.client_id != registered.client_id:
            return f"client_id {show(message.client_id)} is not the registered {registered.client_id!r}"
        if message.client_type is not registered.client_type and not _unsaid(message, frame, format):
            said, known = message.client_type.value, registered.client_type.value
            return f"client_type {said!r} is not the registered {known!r}"
        return _addressed(message, registered)


def _addressed(message: ClientMessage, registered: Register) -> str | None:
    target = message.target_id
    if not target:
        return None
    if registered.client_type is ClientType.DEVICE:
        if target != registered.client_id:
            return f"device {registered.client_id!r} may not name device {show(target)} in target_id"
    elif registered.target_id is not None and target != registered.target_id:
        return f"target_id {show(target)} is not the registered {registered.target_id!r}"
    return None


@attrs.frozen
class _Named:
    """A frame's client_type, if it names one."""

    client_type: str | None = None


_NAMED = {format: Codec(_Named, format=format) for format in Format}


def _unsaid(message: ClientMessage, frame: bytes | None, format: Format) -> bool:
    """Whether the message is a device's by default alone.

    Existing constellations say `device`, the default, in their heartbeats, which address nobody.
    """
    if message.client_type is not ClientType.DEVICE:
        return False
    if message.type is ClientMessageType.HEARTBEAT:
        return True
    return frame is not None and _NAMED[format].decode(frame, _Named).client_type is None
