"""A child as its supervisor sees it: its spec, and where its life stands."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum

import attrs

from aip_trio.actors._spec import ChildSpec, RestartType
from aip_trio.machine import Machine, Tracker
from aip_trio.resilience import RestartWindow

__all__ = ["CHILD_MACHINE", "Child", "ChildEvent", "ChildState", "Outcome", "OutcomeKind"]


class ChildState(Enum):
    """Where a child stands."""

    IDLE = "idle"  #: a spec, and no actor
    RESTARTING = "restarting"  #: no actor; its restart is due, or waits for its backoff
    STARTING = "starting"  #: its constructor or started() runs
    RUNNING = "running"
    STOPPING = "stopping"  #: told to stop, not yet ended
    FORGOTTEN = "forgotten"  #: its supervisor does not know it any more


class ChildEvent(Enum):
    """What happens to a child."""

    START = "start"
    UP = "up"
    END = "end"
    STOP = "stop"
    RETRY = "retry"
    FORGET = "forget"


CHILD_MACHINE = Machine(
    "child",
    initial=ChildState.IDLE,
    terminal=frozenset({ChildState.FORGOTTEN}),
    table={
        ChildState.IDLE: {
            ChildEvent.START: ChildState.STARTING,
            ChildEvent.RETRY: ChildState.RESTARTING,
            ChildEvent.FORGET: ChildState.FORGOTTEN,
        },
        ChildState.RESTARTING: {
            ChildEvent.START: ChildState.STARTING,
            ChildEvent.STOP: ChildState.IDLE,
        },
        ChildState.STARTING: {
            ChildEvent.UP: ChildState.RUNNING,
            ChildEvent.END: ChildState.IDLE,
            ChildEvent.STOP: ChildState.STOPPING,
        },
        ChildState.RUNNING: {
            ChildEvent.END: ChildState.IDLE,
            ChildEvent.STOP: ChildState.STOPPING,
        },
        ChildState.STOPPING: {
            ChildEvent.END: ChildState.IDLE,
        },
        ChildState.FORGOTTEN: {},
    },
)


class OutcomeKind(Enum):
    """How an incarnation ended."""

    NORMAL = "normal"  #: by itself, in order
    CRASHED = "crashed"  #: with an exception; before it was up, too
    IGNORED = "ignored"  #: it declined to start
    STOPPED = "stopped"  #: because it was told to


@attrs.frozen
class Outcome:
    """How an incarnation ended, and with which exception where it crashed."""

    kind: OutcomeKind
    error: BaseException | None = None


@attrs.define(eq=False)
class Child:
    """One child of a supervisor, over all its incarnations."""

    spec: ChildSpec
    life: Tracker[ChildState, ChildEvent] = attrs.field(init=False, factory=CHILD_MACHINE.start)
    #: how many incarnations were started
    incarnations: int = attrs.field(init=False, default=0)
    #: when it came up, in the clock of whoever calls; None while it is not up
    since: float | None = attrs.field(init=False, default=None)
    #: failures in a row, for its backoff
    failures: int = attrs.field(init=False, default=0)
    #: numbers the restarts that are due, so that a late timer of an earlier one is known as such
    turn: int = attrs.field(init=False, default=0)
    #: its own intensity window, where each child has one
    window: RestartWindow | None = attrs.field(init=False, default=None)
    #: the call that waits for its start
    start_call: Hashable | None = attrs.field(init=False, default=None)
    #: the calls that wait for its end
    stop_calls: list[Hashable] | None = attrs.field(init=False, default=None)
    #: to be forgotten when it ends, or when its first start fails
    fleeting: bool = attrs.field(init=False, default=False)

    @property
    def state(self) -> ChildState:
        """Where it stands."""
        return self.life.state

    @property
    def active(self) -> bool:
        """Whether an incarnation of it exists."""
        return self.life.state in _ACTIVE

    @property
    def restarting(self) -> bool:
        """Whether its restart is due, or under way."""
        starting = self.life.state is ChildState.STARTING and self.start_call is None
        return starting or self.life.state is ChildState.RESTARTING

    @property
    def temporary(self) -> bool:
        """Whether it is never restarted."""
        return self.spec.restart is RestartType.TEMPORARY

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self.incarnations - 1)


_ACTIVE = frozenset({ChildState.STARTING, ChildState.RUNNING, ChildState.STOPPING})
