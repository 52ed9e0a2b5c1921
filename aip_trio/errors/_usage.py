"""The caller's mistakes."""

import inspect

import attrs

from aip_trio.errors._base import AipError, show

__all__ = [
    "AlreadyReplied",
    "AskCycle",
    "EncodeError",
    "IllegalTransition",
    "InvalidHandler",
    "InvalidMachine",
    "InvalidMessage",
    "InvalidOption",
    "InvalidSpec",
    "InvalidTool",
    "InvalidWireClass",
    "NameTaken",
    "NoNursery",
    "NoSystem",
    "NotAnActor",
    "NotRunning",
    "ReconnectionUnderWay",
    "SystemClosed",
    "UsageError",
]


class UsageError(AipError):
    """The caller's mistake. Retrying does not help; changing the call does."""


@attrs.define(slots=False)
class InvalidMessage(UsageError, TypeError):
    """What was offered to an actor is no message."""

    value: object
    reason: str

    def __str__(self) -> str:
        return f"message={show(self.value)} {self.reason}"


@attrs.define(slots=False)
class InvalidHandler(UsageError, TypeError):
    """A method marked with ``@handles`` cannot be a handler; raised when its class is defined."""

    handler: str
    reason: str

    def __str__(self) -> str:
        return f"handler {self.handler}: {self.reason}"


@attrs.define(slots=False)
class InvalidSpec(UsageError, ValueError):
    """A child spec, a supervisor's flags or an option that contradicts itself or its range."""

    field: str
    value: object
    reason: str

    def __str__(self) -> str:
        return f"{self.field}={show(self.value)}: {self.reason}"


@attrs.define(slots=False)
class EncodeError(UsageError, ValueError):
    """A message holds what has no form on the wire, or too much of it."""

    message_class: str
    reason: str

    def __str__(self) -> str:
        return f"{self.message_class} cannot be sent: {self.reason}"


@attrs.define(slots=False)
class InvalidWireClass(UsageError, TypeError):
    """A class that a codec cannot carry faithfully, or was not given."""

    wire_class: object
    reason: str

    def __str__(self) -> str:
        return f"wire class {show(self.wire_class)}: {self.reason}"


@attrs.define(slots=False)
class InvalidTool(UsageError, TypeError):
    """A function that cannot be a device's tool; raised when it is made one."""

    tool: str
    reason: str

    def __str__(self) -> str:
        return f"tool {self.tool!r}: {self.reason}"


@attrs.define(slots=False)
class InvalidOption(UsageError, ValueError):
    """An option of a program that cannot be worked with, such as a folder that is none."""

    option: str
    value: object
    reason: str

    def __str__(self) -> str:
        return f"{self.option}={str(self.value)!r} {self.reason}"


@attrs.define(slots=False)
class InvalidMachine(UsageError, ValueError):
    """A state machine's table that contradicts itself."""

    machine: str
    reason: str

    def __str__(self) -> str:
        return f"machine {self.machine!r}: {self.reason}"


@attrs.define(slots=False)
class NotAnActor(UsageError, TypeError):
    """A factory returned something that is no `Actor`."""

    factory: object
    value: object

    def __str__(self) -> str:
        returned = f"factory={show(self.factory)} returned {show(self.value)}"
        if inspect.iscoroutine(self.value):
            return f"{returned}, because it is async: write it with `def`, and await in the actor's started()"
        return (
            f"{returned} ({type(self.value).__qualname__}), not an Actor:"
            " return an instance of a subclass of Actor"
        )


@attrs.define(slots=False)
class NameTaken(UsageError, ValueError):
    """Names are unique among siblings."""

    name: str
    parent: str

    def __str__(self) -> str:
        return (
            f"name={self.name!r} is taken under {self.parent!r}: choose another one,"
            " or leave name out to have one made"
        )


@attrs.define(slots=False)
class NoSystem(UsageError, RuntimeError):
    """A call that needs a running system was made outside of one."""

    call: str

    def __str__(self) -> str:
        return (
            f"{self.call} outside of a running system: call it from a task inside"
            " `async with open_system() as system:`, and from another thread by trio.from_thread.run_sync"
        )


@attrs.define(slots=False)
class NoNursery(UsageError, RuntimeError):
    """A call that needs a background task has no nursery to run it in."""

    call: str
    inside: str

    def __str__(self) -> str:
        return f"{self.call} has no nursery for its task: call it inside `{self.inside}`, or give nursery="


@attrs.define(slots=False)
class SystemClosed(UsageError, RuntimeError):
    """The system is stopping or has stopped: it takes no new actors."""

    call: str

    def __str__(self) -> str:
        return f"{self.call} on a system that is stopping or has stopped: open a new one with open_system()"


@attrs.define(slots=False)
class NotRunning(UsageError, RuntimeError):
    """An actor's own facility (nursery, spawn, timers) was used while the actor does not run."""

    call: str
    actor: str

    def __str__(self) -> str:
        return (
            f"{self.call} of actor {self.actor}, which does not run: use it from started() on,"
            " until stopping() returns"
        )


@attrs.define(slots=False)
class ReconnectionUnderWay(UsageError, RuntimeError):
    """Two tasks try to reconnect the same device with the same strategy."""

    device_id: str

    def __str__(self) -> str:
        return (
            f"another task reconnects {self.device_id!r} already: let one of them alone handle the loss, and"
            " give each endpoint a strategy of its own"
        )


@attrs.define(slots=False)
class AlreadyReplied(UsageError, RuntimeError):
    """A `Reply` can be used once."""

    actor: str
    message: object

    def __str__(self) -> str:
        return f"actor {self.actor} answered {show(self.message)} a second time: use each Reply once"


@attrs.define(slots=False)
class AskCycle(UsageError, RuntimeError):
    """Actors ask each other in a circle, and would wait for ever."""

    path: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"ask cycle {' → '.join(self.path)}: each waits for the next; use tell, or take a Reply"
            " and ask from a task in self.nursery (an actor ends itself with self.stop())"
        )


@attrs.define(slots=False)
class IllegalTransition(UsageError, RuntimeError):
    """An event that the machine's table does not have in this state."""

    machine: str
    state: object
    event: object
    legal: tuple[object, ...]

    def __str__(self) -> str:
        legal = ", ".join(_name(event) for event in self.legal) or "nothing: the state is terminal"
        return (
            f"machine {self.machine!r}: event {_name(self.event)} is illegal in state"
            f" {_name(self.state)}; legal here: {legal}"
        )


def _name(member: object) -> str:
    name = getattr(member, "name", None)
    return name if isinstance(name, str) else show(member)
