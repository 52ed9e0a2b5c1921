"""What the actors of a client's connection say to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from aip_trio.actors import ActorRef, Request
from aip_trio.endpoints.connection._line import ClientLine
from aip_trio.messages import FromClient, FromServer

__all__ = ["AskLine", "Enrol", "LineDown", "LineUp", "Route", "Send", "Taker", "everything"]

#: Deals with a message at once, in the task that reads, and returns what is left to tell; None: nothing.
Taker: TypeAlias = Callable[[FromServer], object | None]


def everything(message: FromServer) -> object:
    """The taker that deals with nothing."""
    return message


@attrs.frozen
class Enrol(Request[ClientLine]):
    """To the link, before anything else: register; its answer is the way out.

    May raise RegistrationRefused.
    """


@attrs.frozen
class AskLine(Request[ClientLine]):
    """To the session: the way out."""


@attrs.frozen
class Route:
    """To the link, before it reads: what ``taker`` leaves is for these actors, by class, or the session."""

    routes: Mapping[type, ActorRef]
    taker: Taker


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
