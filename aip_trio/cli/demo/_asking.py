"""Asking actors that crash now and then."""

from typing import TypeVar

from aip_trio.actors import ActorRef, Request
from aip_trio.errors import ActorCrashed

__all__ = ["ask_again"]

R = TypeVar("R")


async def ask_again(ref: ActorRef, message: Request[R]) -> R:
    """Ask; where the actor crashes over it, ask its next incarnation. A checkpoint.

    For requests that may be handled more than once. It ends with the actor: a supervisor that gives up on
    it is ActorStopped here.
    """
    while True:
        try:
            return await ref.ask(message)
        except ActorCrashed:
            continue
