"""What can be asked of a supervisor, with OTP's refusals."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from aip_trio.actors._child import Child, ChildState
from aip_trio.actors._roster import Roster
from aip_trio.errors import (
    ChildAlreadyPresent,
    ChildAlreadyStarted,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    NameTaken,
    NotRunning,
    SystemClosed,
)

__all__ = ["Calls"]

C = TypeVar("C", bound=Child)


class Calls(Generic[C]):
    """Performs calls on children, each when its turn has come.

    A name is whose it is at that moment; a child is itself, and no namesake.
    """

    def __init__(self, roster: Roster[C]) -> None:
        self._roster = roster

    def start(self, child: C, call: Hashable) -> None:
        """Add a child and start it."""
        roster = self._roster
        present = roster.children.get(child.spec.name)
        if present is not None:
            roster.answer(call, self._name_taken(present))
            return
        roster.children[child.spec.name] = child
        child.fleeting = True
        child.start_call = call
        roster.start(child)

    def terminate(self, which: str | C, call: Hashable) -> None:
        """Stop it, and call off its restart. Of this very child it is ok also where it is forgotten."""
        roster = self._roster
        child = roster.find(which)
        if child is None:
            roster.answer(call, self._not_found(which) if isinstance(which, str) else None)
        elif child.active:
            self.stop(child, call)
        else:
            if child.state is ChildState.RESTARTING:
                roster.call_off(child)
                roster.put_away(child)
            roster.answer(call, None)

    def stop(self, child: C, call: Hashable) -> None:
        """Stop one that runs; the call is answered when it has ended."""
        child.stop_calls = [*(child.stop_calls or ()), call]
        self._roster.stop(child)

    def restart(self, which: str | C, call: Hashable) -> None:
        """Start it, if it does not run."""
        child = self._idle(which, call)
        if child is not None:
            child.start_call = call
            self._roster.start(child)

    def delete(self, which: str | C, call: Hashable) -> None:
        """Forget it, if it does not run."""
        child = self._idle(which, call)
        if child is not None:
            self._roster.forget(child)
            self._roster.answer(call, None)

    # Where the supervisor's own end comes first

    def refuse(self, call: Hashable) -> None:
        """Nothing is done any more."""
        roster = self._roster
        closed = SystemClosed("spawn()") if roster.flags.owned else NotRunning("a call", roster.path)
        roster.answer(call, closed)

    def await_end(self, child: C, call: Hashable) -> None:
        """To stop it is no longer needed: it ends, like all of them."""
        if child.active:
            child.stop_calls = [*(child.stop_calls or ()), call]
        else:
            self._roster.answer(call, None)

    # Refusals

    def _idle(self, which: str | C, call: Hashable) -> C | None:
        """The child, if it does not run, and nothing is to start it; otherwise the call is refused."""
        roster = self._roster
        child = roster.find(which)
        if child is None:
            roster.answer(call, self._not_found(which))
        elif child.restarting:
            roster.answer(call, ChildRestarting(roster.path, child.spec.name))
        elif child.active:
            roster.answer(call, ChildRunning(roster.path, child.spec.name))
        else:
            return child
        return None

    def _not_found(self, which: str | C) -> BaseException:
        return ChildNotFound(self._roster.path, which if isinstance(which, str) else which.spec.name)

    def _name_taken(self, present: C) -> BaseException:
        name = present.spec.name
        if self._roster.flags.owned:
            return NameTaken(name, self._roster.path)
        started = present.active and not present.restarting
        refusal = ChildAlreadyStarted if started else ChildAlreadyPresent
        return refusal(self._roster.path, name)
