"""The one tree of exceptions.

::

    AipError
    ├── UsageError                      the caller's mistake: fix the call
    │   ├── InvalidMessage              (TypeError)
    │   ├── InvalidHandler              (TypeError)
    │   ├── InvalidSpec                 (ValueError)
    │   ├── InvalidOption               (ValueError)
    │   ├── InvalidMachine              (ValueError)
    │   ├── NotAnActor                  (TypeError)
    │   ├── NameTaken                   (ValueError)
    │   ├── NoSystem                    (RuntimeError)
    │   ├── SystemClosed                (RuntimeError)
    │   ├── NotRunning                  (RuntimeError)
    │   ├── AlreadyReplied              (RuntimeError)
    │   ├── AskCycle                    (RuntimeError)
    │   └── IllegalTransition           (RuntimeError)
    ├── MessagingError                  a message did not get its answer
    │   ├── MailboxFull
    │   ├── ActorStopped
    │   ├── ActorCrashed
    │   ├── UnhandledMessage
    │   └── ReplyDropped
    └── SupervisionError                a supervisor could not, or would not
        ├── StartFailed
        ├── RestartIntensityExceeded
        │   └── RetriesExhausted
        ├── StopTimeout
        └── ChildRefusal                the answer to a call on a supervisor
            ├── ChildNotFound           (LookupError)
            ├── ChildRunning
            ├── ChildRestarting
            ├── ChildAlreadyStarted
            └── ChildAlreadyPresent

Facts are attributes; the text is composed from them and says what to do. Nobody needs to match on
the text.
"""

import attrs

__all__ = [
    "ActorCrashed",
    "ActorStopped",
    "AipError",
    "AlreadyReplied",
    "AskCycle",
    "ChildAlreadyPresent",
    "ChildAlreadyStarted",
    "ChildNotFound",
    "ChildRefusal",
    "ChildRestarting",
    "ChildRunning",
    "IllegalTransition",
    "InvalidHandler",
    "InvalidMachine",
    "InvalidMessage",
    "InvalidOption",
    "InvalidSpec",
    "MailboxFull",
    "MessagingError",
    "NameTaken",
    "NoSystem",
    "NotAnActor",
    "NotRunning",
    "ReplyDropped",
    "RestartIntensityExceeded",
    "RetriesExhausted",
    "StartFailed",
    "StopTimeout",
    "SupervisionError",
    "SystemClosed",
    "UnhandledMessage",
    "UsageError",
]

_LONGEST_VALUE = 200


def _show(value: object) -> str:
    """A value for an error's text: its repr in one line, and cut, because it may be a whole file."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a broken __repr__ must not hide the error being told
        text = f"<{type(value).__qualname__} whose repr raises {type(error).__qualname__}>"
    text = " ".join(text.splitlines())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _told(error: BaseException) -> str:
    """An exception in one line: its class, and its text where it has one."""
    text = " ".join(str(error).splitlines())
    name = type(error).__qualname__
    return f"{name}: {text}" if text else name


class AipError(Exception):
    """Everything that aip_trio raises by itself."""


class UsageError(AipError):
    """The caller's mistake. Retrying does not help; changing the call does."""


@attrs.define(slots=False)
class InvalidMessage(UsageError, TypeError):
    """What was offered to an actor is no message."""

    value: object
    reason: str

    def __str__(self) -> str:
        return f"message={_show(self.value)} {self.reason}"


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
        return f"{self.field}={_show(self.value)}: {self.reason}"


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
        return (
            f"factory={_show(self.factory)} returned {_show(self.value)}"
            f" ({type(self.value).__qualname__}), not an Actor: return an instance of a subclass of Actor"
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
class AlreadyReplied(UsageError, RuntimeError):
    """A `Reply` can be used once."""

    actor: str
    message: object

    def __str__(self) -> str:
        return f"actor {self.actor} answered {_show(self.message)} a second time: use each Reply once"


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
    return name if isinstance(name, str) else _show(member)


class MessagingError(AipError):
    """A message was not taken, or its asker gets no answer."""


@attrs.define(slots=False)
class MailboxFull(MessagingError):
    """The mailbox has no room, and its policy is to say so."""

    actor: str
    capacity: int

    def __str__(self) -> str:
        return (
            f"mailbox of {self.actor} is full (capacity={self.capacity}):"
            " await tell() to wait for room, or give the actor a larger mailbox or another overflow policy"
        )


@attrs.define(slots=False)
class ActorStopped(MessagingError):
    """The actor does not run, or is being stopped; the message, if given, was not answered.

    ``taken``: it had the message in hand, or owed its answer, and was cancelled: what it did by then is
    done.
    """

    actor: str
    message: object = None
    taken: bool = False

    def __str__(self) -> str:
        what = "messages" if self.message is None else _show(self.message)
        if self.taken:
            return (
                f"actor {self.actor} was stopped while {what} was being handled, perhaps half-way:"
                " see what was done before you send it again"
            )
        return (
            f"actor {self.actor} does not take {what}, since it has stopped or is about to:"
            " send it again if its supervisor restarts it; else spawn it again, or restart_child() where"
            " its supervisor kept the spec"
        )


@attrs.define(slots=False)
class ActorCrashed(MessagingError):
    """The actor crashed while it had this message in hand; ``__cause__`` is the exception."""

    actor: str
    message: object = None

    def __str__(self) -> str:
        cause = f" ({_told(self.__cause__)})" if self.__cause__ is not None else ""
        return f"actor {self.actor} crashed while it handled {_show(self.message)}{cause}"


@attrs.define(slots=False)
class UnhandledMessage(MessagingError):
    """The actor has no handler for this class of message."""

    actor: str
    message: object
    handled: tuple[str, ...]

    def __str__(self) -> str:
        handled = ", ".join(self.handled) or "no message at all"
        return f"actor {self.actor} has no handler for {_show(self.message)}; it handles {handled}"


@attrs.define(slots=False)
class ReplyDropped(MessagingError):
    """A deferred `Reply` was thrown away unanswered."""

    actor: str
    message: object = None

    def __str__(self) -> str:
        return (
            f"actor {self.actor} took the Reply of {_show(self.message)} and dropped it unanswered:"
            " call reply.send() or reply.fail() on every path"
        )


class SupervisionError(AipError):
    """A supervisor could not do, or refused, what was asked of it."""


@attrs.define(slots=False)
class StartFailed(SupervisionError):
    """A child did not come up; ``__cause__`` is why."""

    child: str
    cause: BaseException

    def __attrs_post_init__(self) -> None:
        self.__cause__ = self.cause

    def __str__(self) -> str:
        return f"could not start {self.child}: {_told(self.cause)}"


@attrs.define(slots=False)
class RestartIntensityExceeded(SupervisionError):
    """A supervisor gave up: more than ``intensity`` restarts within ``period`` seconds.

    ``causes`` are the crashes in that period, oldest first; the last one is also ``__cause__``.
    """

    supervisor: str
    child: str
    intensity: int
    period: float
    causes: tuple[BaseException, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.causes:
            self.__cause__ = self.causes[-1]

    def __str__(self) -> str:
        last = f"; last: {_told(self.causes[-1])}" if self.causes else ""
        return (
            f"supervisor {self.supervisor} gave up on child {self.child!r}: more than"
            f" intensity={self.intensity} restarts within period={self.period} s{last}"
        )


@attrs.define(slots=False)
class RetriesExhausted(RestartIntensityExceeded):
    """A supervisor gave up on a child with a backoff: more than ``max_retries`` failures in a row.

    ``intensity`` is that number, ``period`` is infinite, ``causes`` holds the last crash alone.
    """

    def __str__(self) -> str:
        last = f"; last: {_told(self.causes[-1])}" if self.causes else ""
        return (
            f"supervisor {self.supervisor} gave up on child {self.child!r} after"
            f" max_retries={self.intensity} retries in a row{last}"
        )


@attrs.define(slots=False)
class StopTimeout(SupervisionError):
    """An actor did not stop within its shutdown time and was cancelled."""

    actor: str
    shutdown: float

    def __str__(self) -> str:
        return (
            f"actor {self.actor} did not stop within shutdown={self.shutdown} s and was cancelled:"
            " shorten its handlers and stopping(), or give it more time"
        )


@attrs.define(slots=False)
class ChildRefusal(SupervisionError):
    """A supervisor's refusal of a call. What was asked has not been done."""

    supervisor: str
    name: str


class ChildNotFound(ChildRefusal, LookupError):
    """The supervisor has no such child (OTP: ``not_found``)."""

    def __str__(self) -> str:
        return f"supervisor {self.supervisor} has no child {self.name!r}: see which_children()"


class ChildRunning(ChildRefusal):
    """The child runs (OTP: ``running``)."""

    def __str__(self) -> str:
        return f"child {self.name!r} of {self.supervisor} is running: terminate_child() first"


class ChildRestarting(ChildRefusal):
    """The child waits for its restart (OTP: ``restarting``)."""

    def __str__(self) -> str:
        return f"child {self.name!r} of {self.supervisor} is being restarted: terminate_child() cancels that"


class ChildAlreadyStarted(ChildRefusal):
    """A child of that name runs (OTP: ``already_started``)."""

    def __str__(self) -> str:
        return f"child {self.name!r} of {self.supervisor} is started already: choose another name"


class ChildAlreadyPresent(ChildRefusal):
    """The supervisor keeps a spec of that name, whose child does not run (OTP: ``already_present``)."""

    def __str__(self) -> str:
        return (
            f"supervisor {self.supervisor} has a spec for {self.name!r} already, not running:"
            " restart_child() starts it, delete_child() forgets it"
        )
