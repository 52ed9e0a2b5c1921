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

from aip_trio.errors._base import AipError
from aip_trio.errors._messaging import (
    ActorCrashed,
    ActorStopped,
    MailboxFull,
    MessagingError,
    ReplyDropped,
    UnhandledMessage,
)
from aip_trio.errors._supervision import (
    ChildAlreadyPresent,
    ChildAlreadyStarted,
    ChildNotFound,
    ChildRefusal,
    ChildRestarting,
    ChildRunning,
    RestartIntensityExceeded,
    RetriesExhausted,
    StartFailed,
    StopTimeout,
    SupervisionError,
)
from aip_trio.errors._usage import (
    AlreadyReplied,
    AskCycle,
    IllegalTransition,
    InvalidHandler,
    InvalidMachine,
    InvalidMessage,
    InvalidOption,
    InvalidSpec,
    NameTaken,
    NoSystem,
    NotAnActor,
    NotRunning,
    SystemClosed,
    UsageError,
)

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
