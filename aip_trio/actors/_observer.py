"""Somebody who watches every message."""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aip_trio.actors._envelope import Envelope
    from aip_trio.actors._ref import ActorRef

__all__ = ["Observer", "Step"]

logger = logging.getLogger("aip_trio.actors")


class Step(Enum):
    """A step on an envelope's way."""

    SENT = "sent"  #: it is in the mailbox, or waits for room there
    TAKEN = "taken"  #: the actor has it in hand
    HANDLED = "handled"  #: its handler has returned
    SKIPPED = "skipped"  #: its sender had gone, or was refused after it had waited for room
    BURIED = "buried"  #: it went to dead letters


class Observer(Protocol):
    """Is told of every step of every envelope: for tracing, or a flight recorder.

    Called synchronously on the hot path: be quick. One that raises is logged and not called again.
    """

    def observe(self, step: Step, ref: ActorRef, envelope: Envelope) -> None:
        """``ref`` is the actor that the envelope is for."""


class Guarded:
    """An observer whose failure ends the observing, not the observed."""

    def __init__(self, observer: Observer) -> None:
        self._observer: Observer | None = observer

    def observe(self, step: Step, ref: ActorRef, envelope: Envelope) -> None:
        """Pass it on."""
        if self._observer is None:
            return
        try:
            self._observer.observe(step, ref, envelope)
        except Exception:
            logger.exception("observer=%r raised and is not called again", self._observer)
            self._observer = None
