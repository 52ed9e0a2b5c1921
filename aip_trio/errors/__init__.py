"""The one tree of exceptions.

::

    AipError
    ├── UsageError                      the caller's mistake: fix the call
    │   ├── InvalidMessage              (TypeError)
    │   ├── InvalidHandler              (TypeError)
    │   ├── InvalidSpec                 (ValueError)
    │   ├── InvalidOption               (ValueError)
    │   ├── InvalidMachine              (ValueError)
    │   ├── InvalidTool                 (TypeError)
    │   ├── EncodeError                 (ValueError)
    │   ├── InvalidWireClass            (TypeError)
    │   ├── NotAnActor                  (TypeError)
    │   ├── NameTaken                   (ValueError)
    │   ├── NoSystem                    (RuntimeError)
    │   ├── NoNursery                   (RuntimeError)
    │   ├── SystemClosed                (RuntimeError)
    │   ├── NotRunning                  (RuntimeError)
    │   ├── ReconnectionUnderWay        (RuntimeError)
    │   ├── UnknownWebSocket            (TypeError)
    │   ├── InvalidUrl                  (ValueError)
    │   ├── AdapterMissing              (ImportError)
    │   ├── CannotListen                (OSError)
    │   ├── AddressInUse                (OSError)
    │   ├── TransportBusy               (RuntimeError)
    │   ├── NoBinaryFrames              (TypeError)
    │   ├── WebMissing                  (ImportError)
    │   ├── ZeroMQMissing               (ImportError)
    │   ├── CurveMissing                (ImportError)
    │   ├── InvalidKey                  (ValueError)
    │   ├── WrongKind                   (TypeError)
    │   ├── OutOfStep                   (RuntimeError)
    │   ├── InvalidFrames               (TypeError)
    │   ├── RpcServiceStopped           (RuntimeError)
    │   ├── ClientNotRunning            (RuntimeError)
    │   ├── EndpointNotRunning          (RuntimeError)
    │   ├── SessionTaken                (ValueError)
    │   ├── MiddlewareFailed            (RuntimeError)
    │   ├── SendingTooFast              (RuntimeError)
    │   ├── AlreadyReplied              (RuntimeError)
    │   ├── AskCycle                    (RuntimeError)
    │   └── IllegalTransition           (RuntimeError)
    ├── PeerError                       what came over the wire is not right
    │   ├── DecodeError                 (ValueError)
    │   ├── RateLimited
    │   ├── ProtocolError               no place for it in the conversation
    │   │   ├── UnexpectedMessage
    │   │   │   └── TransferAnnounced
    │   │   ├── NoHandler               (LookupError)
    │   │   ├── ResultsMismatch
    │   │   └── LinkFault               a frame that breaks the rules of a link
    │   ├── RegistrationRefused         (ConnectionError)
    │   └── LinkRefused                 (ConnectionError) no session for a hello
    ├── TransportError                  (ConnectionError) no connection, or none any more
    │   ├── TransportClosed             by this side
    │   ├── ConnectionLost              by the peer, or broken
    │   ├── LinkLost                    and not resumed in time
    │   ├── ConnectFailed
    │   ├── HandshakeRefused
    │   ├── PeerSilent
    │   ├── PeerTooSlow
    │   ├── MessageTooLarge
    │   ├── UnexpectedFrame
    │   ├── PeerGone                    a ROUTER has no such peer
    │   └── ZeroMQFailed
    ├── TransferError                   a file or a binary message did not come through
    │   ├── SizeMismatch                (ValueError)
    │   ├── ChecksumMismatch            (ValueError)
    │   ├── ChunkMismatch
    │   ├── InconsistentTransfer        (ValueError)
    │   ├── TransferTooLarge
    │   ├── TransferAborted
    │   ├── UnsafeFilename              (ValueError)
    │   ├── TransferUnderWay
    │   ├── SourceChanged
    │   └── FileUnavailable             (OSError)
    ├── AppFailed                       (RuntimeError)
    ├── OperationTimeout                (TimeoutError)
    ├── EndpointError                   a device or a task failed; the endpoint goes on
    │   ├── StartCalledOff              (ConnectionError)
    │   ├── DeviceNotConnected          (ConnectionError)
    │   ├── DeviceInfoUnavailable
    │   ├── TaskRefused
    │   └── TaskFailed
    ├── CommandFailed                   a command to an RPC service has no answer
    │   ├── CommandTimeout              (TimeoutError)
    │   ├── CommandLost                 (ConnectionError)
    │   └── ServiceUnreachable          (ConnectionError)
    ├── ToolError                       one call of a device's tool failed
    │   ├── UnknownTool                 (LookupError)
    │   ├── WrongToolType               (ValueError)
    │   ├── InvalidParameters           (ValueError)
    │   ├── InvalidToolResult           (TypeError)
    │   ├── ToolFailed
    │   ├── ToolTimeout                 (TimeoutError)
    │   ├── ToolUnavailable             (RuntimeError)
    │   ├── PathOutsideRoot             (ValueError)
    │   ├── UnsupportedFile             (ValueError)
    │   ├── FileFailed
    │   ├── ProgramNotAllowed           (ValueError)
    │   └── ProgramNotStarted
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
from aip_trio.errors._endpoints import (
    DeviceInfoUnavailable,
    DeviceNotConnected,
    EndpointError,
    EndpointNotRunning,
    SessionTaken,
    StartCalledOff,
    TaskFailed,
    TaskRefused,
)
from aip_trio.errors._link import LinkFault, LinkLost, LinkRefused
from aip_trio.errors._messaging import (
    ActorCrashed,
    ActorStopped,
    MailboxFull,
    MessagingError,
    ReplyDropped,
    UnhandledMessage,
)
from aip_trio.errors._middleware import MiddlewareFailed, RateLimited, SendingTooFast
from aip_trio.errors._peer import DecodeError, PeerError
from aip_trio.errors._protocol import (
    NoHandler,
    ProtocolError,
    RegistrationRefused,
    ResultsMismatch,
    UnexpectedMessage,
)
from aip_trio.errors._rpc import RpcServiceStopped
from aip_trio.errors._rpc_client import (
    ClientNotRunning,
    CommandFailed,
    CommandLost,
    CommandTimeout,
    ServiceUnreachable,
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
from aip_trio.errors._timeouts import OperationTimeout
from aip_trio.errors._tools import (
    FileFailed,
    InvalidParameters,
    InvalidToolResult,
    PathOutsideRoot,
    ProgramNotAllowed,
    ProgramNotStarted,
    ToolError,
    ToolFailed,
    ToolTimeout,
    ToolUnavailable,
    UnknownTool,
    UnsupportedFile,
    WrongToolType,
)
from aip_trio.errors._transfer import (
    ChecksumMismatch,
    ChunkMismatch,
    FileUnavailable,
    InconsistentTransfer,
    NoBinaryFrames,
    SizeMismatch,
    SourceChanged,
    TransferAborted,
    TransferAnnounced,
    TransferError,
    TransferTooLarge,
    TransferUnderWay,
    UnsafeFilename,
)
from aip_trio.errors._transport import (
    AdapterMissing,
    AddressInUse,
    CannotListen,
    ConnectFailed,
    ConnectionLost,
    HandshakeRefused,
    InvalidUrl,
    MessageTooLarge,
    PeerSilent,
    PeerTooSlow,
    TransportBusy,
    TransportClosed,
    TransportError,
    UnexpectedFrame,
    UnknownWebSocket,
)
from aip_trio.errors._usage import (
    AlreadyReplied,
    AskCycle,
    EncodeError,
    IllegalTransition,
    InvalidHandler,
    InvalidMachine,
    InvalidMessage,
    InvalidOption,
    InvalidSpec,
    InvalidTool,
    InvalidWireClass,
    NameTaken,
    NoNursery,
    NoSystem,
    NotAnActor,
    NotRunning,
    ReconnectionUnderWay,
    SystemClosed,
    UsageError,
)
from aip_trio.errors._web import AppFailed, WebMissing
from aip_trio.errors._zeromq import (
    CurveMissing,
    InvalidFrames,
    InvalidKey,
    OutOfStep,
    PeerGone,
    WrongKind,
    ZeroMQFailed,
    ZeroMQMissing,
)

__all__ = [
    "ActorCrashed",
    "ActorStopped",
    "AdapterMissing",
    "AddressInUse",
    "AipError",
    "AlreadyReplied",
    "AppFailed",
    "AskCycle",
    "CannotListen",
    "ChecksumMismatch",
    "ChildAlreadyPresent",
    "ChildAlreadyStarted",
    "ChildNotFound",
    "ChildRefusal",
    "ChildRestarting",
    "ChildRunning",
    "ChunkMismatch",
    "ClientNotRunning",
    "CommandFailed",
    "CommandLost",
    "CommandTimeout",
    "ConnectFailed",
    "ConnectionLost",
    "CurveMissing",
    "DecodeError",
    "DeviceInfoUnavailable",
    "DeviceNotConnected",
    "EncodeError",
    "EndpointError",
    "EndpointNotRunning",
    "FileFailed",
    "FileUnavailable",
    "HandshakeRefused",
    "IllegalTransition",
    "InconsistentTransfer",
    "InvalidFrames",
    "InvalidHandler",
    "InvalidKey",
    "InvalidMachine",
    "InvalidMessage",
    "InvalidOption",
    "InvalidParameters",
    "InvalidSpec",
    "InvalidTool",
    "InvalidToolResult",
    "InvalidUrl",
    "InvalidWireClass",
    "LinkFault",
    "LinkLost",
    "LinkRefused",
    "MailboxFull",
    "MessageTooLarge",
    "MessagingError",
    "MiddlewareFailed",
    "NameTaken",
    "NoBinaryFrames",
    "NoHandler",
    "NoNursery",
    "NoSystem",
    "NotAnActor",
    "NotRunning",
    "OperationTimeout",
    "OutOfStep",
    "PathOutsideRoot",
    "PeerError",
    "PeerGone",
    "PeerSilent",
    "PeerTooSlow",
    "ProgramNotAllowed",
    "ProgramNotStarted",
    "ProtocolError",
    "RateLimited",
    "ReconnectionUnderWay",
    "RegistrationRefused",
    "ReplyDropped",
    "RestartIntensityExceeded",
    "ResultsMismatch",
    "RetriesExhausted",
    "RpcServiceStopped",
    "SendingTooFast",
    "ServiceUnreachable",
    "SessionTaken",
    "SizeMismatch",
    "SourceChanged",
    "StartCalledOff",
    "StartFailed",
    "StopTimeout",
    "SupervisionError",
    "SystemClosed",
    "TaskFailed",
    "TaskRefused",
    "ToolError",
    "ToolFailed",
    "ToolTimeout",
    "ToolUnavailable",
    "TransferAborted",
    "TransferAnnounced",
    "TransferError",
    "TransferTooLarge",
    "TransferUnderWay",
    "TransportBusy",
    "TransportClosed",
    "TransportError",
    "UnexpectedFrame",
    "UnexpectedMessage",
    "UnhandledMessage",
    "UnknownTool",
    "UnknownWebSocket",
    "UnsafeFilename",
    "UnsupportedFile",
    "UsageError",
    "WebMissing",
    "WrongKind",
    "WrongToolType",
    "ZeroMQFailed",
    "ZeroMQMissing",
]

# Tracebacks name an error as whoever catches it imports it.
for _name in __all__:
    globals()[_name].__module__ = __name__
