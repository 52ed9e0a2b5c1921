"""The children of one supervisor, and what is done to one of them at a time."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from aip_trio.actors._actions import Action, Answered, Forget, Rest, Start, Stop
from aip_trio.actors._child import Child, ChildEvent, ChildState
from aip_trio.actors._spec import Flags, Strategy
from aip_trio.errors import ActorStopped

__all__ = ["Roster"]

C = TypeVar("C", bound=Child)


class Roster(Generic[C]):
    """Children by name, in order of start. What is to be done is collected in ``out``, in order."""

    def __init__(self, flags: Flags, path: str) -> None:
        self.flags = flags
        self.path = path
        self.children: dict[str, C] = {}
        self.out: list[Action[C]] = []

    def find(self, which: str | C) -> C | None:
        """The child of this name, or this very child, if it is still one."""
        if isinstance(which, str):
            return self.children.get(which)
        return which if self.children.get(which.spec.name) is which else None

    def path_of(self, child: C) -> str:
        """Where it stands in the tree."""
        return f"{self.path.rstrip('/')}/{child.spec.name}"

    def start(self, child: C) -> None:
        """One more incarnation."""
        child.life.fire(ChildEvent.START)
        child.incarnations += 1
        child.since = None
        self.out.append(Start(child))

    def stop(self, child: C) -> None:
        """Tell it to stop, if it has not been told."""
        if child.state is not ChildState.STOPPING:
            child.life.fire(ChildEvent.STOP)
            self.out.append(Stop(child))

    def put_away(self, child: C) -> None:
        """It does not run and will not be restarted: keep its spec, where specs are kept."""
        if child.temporary or self.flags.dynamic:
            self.forget(child)
        else:
            self.out.append(Rest(child))

    def forget(self, child: C) -> None:
        """It has ended for good."""
        if child.state is ChildState.RESTARTING:
            child.life.fire(ChildEvent.STOP)
        child.life.fire(ChildEvent.FORGET)
        del self.children[child.spec.name]
        self.answer_start(child, ActorStopped(self.path_of(child)))
        self.out.append(Forget(child))
        self.answer_stops(child)

    def call_off(self, child: C) -> None:
        """A restart that was due is not to be: those that were to be started with it rest, too."""
        child.life.fire(ChildEvent.STOP)
        if self.flags.strategy in (Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE):
            for other in self.children.values():
                if other.state is ChildState.RESTARTING:
                    return  # it takes along those after it
                if other.state is ChildState.IDLE and other is not child:
                    self.out.append(Rest(other))

    # Answers

    def answer_start(self, child: C, error: BaseException | None) -> None:
        """The call that waits for its start, if there is one, has its result."""
        call, child.start_call = child.start_call, None
        if call is not None:
            self.out.append(Answered(call, error, child))

    def answer_stops(self, child: C) -> None:
        """So have the calls that wait for its end."""
        calls, child.stop_calls = child.stop_calls, None
        for call in calls or ():
            self.answer(call, None)

    def answer(self, call: Hashable | None, error: BaseException | None) -> None:
        """So has this call; None is ok."""
        if call is not None:
            self.out.append(Answered(call, error))

    def flush(self) -> list[Action[C]]:
        """What has been collected."""
        out, self.out = self.out, []
        return out
