"""Being told of another actor's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from trio.lowlevel import enable_ki_protection

if TYPE_CHECKING:
    from aip_trio.actors._cell import Cell
    from aip_trio.actors._ref import ActorRef

__all__ = ["Monitor", "Terminated"]


@attrs.frozen
class Terminated:
    """The monitored actor has ended, and nothing will restart it by itself.

    ``error`` is its last crash where it ended with one, else None.
    """

    ref: ActorRef
    error: BaseException | None = None


@attrs.define(eq=False)
class Monitor:
    """One actor's watch on another; it ends with the watching incarnation."""

    _watched: Cell
    _watching: Cell

    @property
    def ref(self) -> ActorRef:
        """Whom it watches."""
        return self._watched.ref

    def start(self) -> None:
        """Watch; at once if there is nothing left to watch."""
        if self._watched.at_rest:
            self.tell()
            return
        for cell, attribute in ((self._watched, "watchers"), (self._watching, "monitors")):
            monitors: set[Monitor] | None = getattr(cell, attribute)
            if monitors is None:
                monitors = set()
                setattr(cell, attribute, monitors)
            monitors.add(self)

    @enable_ki_protection
    def cancel(self) -> None:
        """Stop watching. Harmless when it has told, or is cancelled already."""
        if self._watched.watchers is not None:
            self._watched.watchers.discard(self)
        if self._watching.monitors is not None:
            self._watching.monitors.discard(self)

    def tell(self) -> None:
        """Tell it, past the mailbox's bound: there is one such message for each monitor."""
        self.cancel()
        if not self._watching.mailbox.closed:
            self._watching.post(Terminated(self.ref, self._watched.final_error))
