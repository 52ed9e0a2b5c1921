"""AIP's conversations: who may speak, what may be said next, and typed messages over a transport.

The rules are pure and public, for whoever owns a connection: `Admission`, `TaskSession`, and a machine for
each protocol. `AIPProtocol` and its subclasses send and receive over a transport by them.
"""

from aip_trio.protocol._admission import LONGEST_ID, Accepted, Admission, Refused, id_fault
from aip_trio.protocol._chain import Chain, ChainTurn, Turn
from aip_trio.protocol._chain_tracker import ChainTracker
from aip_trio.protocol._command import COMMAND_MACHINE, CommandEvent, CommandProtocol, CommandState
from aip_trio.protocol._device_info import (
    DEVICE_INFO_MACHINE,
    DeviceInfoEvent,
    DeviceInfoProtocol,
    DeviceInfoState,
)
from aip_trio.protocol._heartbeat import HeartbeatProtocol
from aip_trio.protocol._link import Link
from aip_trio.protocol._protocol import AIPProtocol, MessageHandler
from aip_trio.protocol._registration import (
    REGISTRATION_MACHINE,
    RegistrationEvent,
    RegistrationProtocol,
    RegistrationState,
)
from aip_trio.protocol._task_execution import TaskExecutionProtocol
from aip_trio.protocol._task_session import (
    TASK_SESSION_MACHINE,
    TaskSession,
    TaskSessionEvent,
    TaskSessionState,
)
from aip_trio.protocol._timestamp import timestamp
from aip_trio.protocol.link import (
    LINK_MACHINE,
    SUBPROTOCOLS,
    LinkEvent,
    LinkLimits,
    LinkServer,
    LinkState,
    LinkStatistics,
    LinkTransport,
    open_link,
)
from aip_trio.protocol.middleware import (
    ChainMiddleware,
    Exchanges,
    Histogram,
    Latency,
    LoggingMiddleware,
    Metrics,
    MetricsMiddleware,
    MetricsSnapshot,
    ProtocolMiddleware,
    RateLimitMiddleware,
    TokenBucket,
)
from aip_trio.protocol.transfer import (
    FILE_RECEIVE_MACHINE,
    FILE_SEND_MACHINE,
    Chunk,
    FileReceive,
    FileReceiveEvent,
    FileReceiveState,
    FileSend,
    FileSendEvent,
    FileSendState,
    Outline,
    Progress,
    ReceivedFile,
    Transfers,
)
from aip_trio.resilience import HEARTBEAT_MACHINE, HeartbeatEvent, HeartbeatState

__all__ = [
    "COMMAND_MACHINE",
    "DEVICE_INFO_MACHINE",
    "FILE_RECEIVE_MACHINE",
    "FILE_SEND_MACHINE",
    "HEARTBEAT_MACHINE",
    "LINK_MACHINE",
    "LONGEST_ID",
    "REGISTRATION_MACHINE",
    "SUBPROTOCOLS",
    "TASK_SESSION_MACHINE",
    "AIPProtocol",
    "Accepted",
    "Admission",
    "Chain",
    "ChainMiddleware",
    "ChainTracker",
    "ChainTurn",
    "Chunk",
    "CommandEvent",
    "CommandProtocol",
    "CommandState",
    "DeviceInfoEvent",
    "DeviceInfoProtocol",
    "DeviceInfoState",
    "Exchanges",
    "FileReceive",
    "FileReceiveEvent",
    "FileReceiveState",
    "FileSend",
    "FileSendEvent",
    "FileSendState",
    "HeartbeatEvent",
    "HeartbeatProtocol",
    "HeartbeatState",
    "Histogram",
    "Latency",
    "Link",
    "LinkEvent",
    "LinkLimits",
    "LinkServer",
    "LinkState",
    "LinkStatistics",
    "LinkTransport",
    "LoggingMiddleware",
    "MessageHandler",
    "Metrics",
    "MetricsMiddleware",
    "MetricsSnapshot",
    "Outline",
    "Progress",
    "ProtocolMiddleware",
    "RateLimitMiddleware",
    "ReceivedFile",
    "Refused",
    "RegistrationEvent",
    "RegistrationProtocol",
    "RegistrationState",
    "TaskExecutionProtocol",
    "TaskSession",
    "TaskSessionEvent",
    "TaskSessionState",
    "TokenBucket",
    "Transfers",
    "Turn",
    "id_fault",
    "open_link",
    "timestamp",
]
