"""Messages that were not taken, or not answered."""

import attrs

from aip_trio.errors._base import AipError, show, told

__all__ = [
    "ActorCrashed",
    "ActorStopped",
    "MailboxFull",
    "MessagingError",
    "ReplyDropped",
    "UnhandledMessage",
]


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
        what = "messages" if self.message is None else show(self.message)
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
        cause = f" ({told(self.__cause__)})" if self.__cause__ is not None else ""
        return f"actor {self.actor} crashed while it handled {show(self.message)}{cause}"


@attrs.define(slots=False)
class UnhandledMessage(MessagingError):
    """The actor has no handler for this class of message."""

    actor: str
    message: object
    handled: tuple[str, ...]

    def __str__(self) -> str:
        handled = ", ".join(self.handled) or "no message at all"
        return f"actor {self.actor} has no handler for {show(self.message)}; it handles {handled}"


@attrs.define(slots=False)
class ReplyDropped(MessagingError):
    """A deferred `Reply` was thrown away unanswered."""

    actor: str
    message: object = None

    def __str__(self) -> str:
        return (
            f"actor {self.actor} took the Reply of {show(self.message)} and dropped it unanswered:"
            " call reply.send() or reply.fail() on every path"
        )
