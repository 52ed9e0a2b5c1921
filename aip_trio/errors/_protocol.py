"""Messages that are well formed, and have no place in the conversation."""

import attrs

from aip_trio.errors._peer import PeerError

__all__ = ["NoHandler", "ProtocolError", "RegistrationRefused", "ResultsMismatch", "UnexpectedMessage"]


class ProtocolError(PeerError):
    """The peer sent a message that the protocol has no place for, here and now."""


@attrs.define(slots=False)
class UnexpectedMessage(ProtocolError):
    """Something else was due."""

    wanted: str
    got: str

    def __str__(self) -> str:
        return f"got {self.got} where {self.wanted} was due"


@attrs.define(slots=False)
class NoHandler(ProtocolError, LookupError):
    """A message of a type that nobody here handles."""

    message_type: str
    handled: tuple[str, ...]

    def __str__(self) -> str:
        handled = ", ".join(self.handled) or "none"
        return f"no handler for a message of type {self.message_type!r}; handled here: {handled}"


@attrs.define(slots=False)
class ResultsMismatch(ProtocolError):
    """Command results that do not answer the commands of their session."""

    session_id: str
    reason: str

    def __str__(self) -> str:
        return f"results of session {self.session_id!r} are not taken: {self.reason}"


@attrs.define(slots=False)
class RegistrationRefused(PeerError, ConnectionError):
    """The server does not want this client; the connection is of no more use."""

    client_id: str
    reason: str

    def __str__(self) -> str:
        return f"the server refused to register {self.client_id!r}: {self.reason}"
