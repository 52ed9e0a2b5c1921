"""What the actors of a client's connection say to each other."""

from __future__ import annotations

import attrs

from aip_trio.actors import Request
from aip_trio.endpoints.connection._line import ClientLine
from aip_trio.messages import FromClient

__all__ = ["AskLine", "Enrol", "LineDown", "LineUp", "Send"]


@attrs.frozen
class Enrol(Request[ClientLine]):
    """To the link, before anything else: register; its answer is the way out.

    May raise RegistrationRefused.
    """


@attrs.frozen
class AskLine(Request[ClientLine]):
    """To the session: the way out."""


@attrs.frozen
class Send:
    """To the outbox: a message for the server.

    ``lasting``: it makes sense on a later connection, too, and is kept for it while there is none.
    """

    message: FromClient
    lasting: bool = False


@attrs.frozen
class LineUp:
    """To the outbox: there is a connection, registered."""

    line: ClientLine


@attrs.frozen
class LineDown:
    """To the outbox: that connection has gone."""

    line: ClientLine
