"""Actors: state of one's own, one message at a time, supervised.

Erlang/OTP's supervision on Trio's nurseries; ``docs/explanation/supervision.md`` says where it differs.
"""

from aip_trio.actors._actor import Actor, Ignore, StopReason, Ticker
from aip_trio.actors._child import CHILD_MACHINE, ChildEvent, ChildState, Outcome, OutcomeKind
from aip_trio.actors._envelope import Envelope, tracing
from aip_trio.actors._environment import Environment, RealEnvironment
from aip_trio.actors._events import (
    Crashed,
    DeadLetter,
    DeadLetterReason,
    Escalated,
    Event,
    EventBus,
    EventSubscription,
    Restarted,
    Started,
    Stopped,
)
from aip_trio.actors._handlers import handles
from aip_trio.actors._mailbox import Overflow
from aip_trio.actors._message import Request, wire_name
from aip_trio.actors._monitor import Monitor, Terminated
from aip_trio.actors._observer import Observer, Step
from aip_trio.actors._ref import ActorRef, Address
from aip_trio.actors._reply import Reply
from aip_trio.actors._spec import (
    AutoShutdown,
    ChildOptions,
    ChildSpec,
    Isolation,
    RestartType,
    Shutdown,
    Strategy,
)
from aip_trio.actors._supervisor import ChildCounts, ChildInfo, Supervisor, SupervisorRef
from aip_trio.actors._system import (
    ActorSystem,
    Statistics,
    current_environment,
    current_nursery,
    current_system,
    open_system,
)
from aip_trio.actors._timers import Timer
from aip_trio.actors._tree import TreeNode
from aip_trio.resilience import Backoff

__all__ = [
    "CHILD_MACHINE",
    "Actor",
    "ActorRef",
    "ActorSystem",
    "Address",
    "AutoShutdown",
    "Backoff",
    "ChildCounts",
    "ChildEvent",
    "ChildInfo",
    "ChildOptions",
    "ChildSpec",
    "ChildState",
    "Crashed",
    "DeadLetter",
    "DeadLetterReason",
    "Envelope",
    "Environment",
    "Escalated",
    "Event",
    "EventBus",
    "EventSubscription",
    "Ignore",
    "Isolation",
    "Monitor",
    "Observer",
    "Outcome",
    "OutcomeKind",
    "Overflow",
    "RealEnvironment",
    "Reply",
    "Request",
    "RestartType",
    "Restarted",
    "Shutdown",
    "Started",
    "Statistics",
    "Step",
    "StopReason",
    "Stopped",
    "Strategy",
    "Supervisor",
    "SupervisorRef",
    "Terminated",
    "Ticker",
    "Timer",
    "TreeNode",
    "current_environment",
    "current_nursery",
    "current_system",
    "handles",
    "open_system",
    "tracing",
    "wire_name",
]
