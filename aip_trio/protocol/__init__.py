"""AIP's conversations: who may speak, what may be said next, and typed messages over a transport.

The rules are pure and public, for whoever owns a connection: `Admission`, `TaskSession`, and a machine for
each protocol. `AIPProtocol` and its subclasses send and receive over a transport by them.
"""

from aip_trio.protocol._admission import LONGEST_ID, Accepted, Admission, Refused, id_fault
from aip_trio.protocol._command import COMMAND_MACHINE, CommandEvent, CommandProtocol, CommandState
from aip_trio.protocol._device_info import (
    DEVICE_INFO_MACHINE,
    DeviceInfoEvent,
    DeviceInfoProtocol,
    DeviceInfoState,
)
from aip_trio.protocol._heartbeat import HeartbeatProtocol
from aip_trio.protocol._link import Link
from aip_trio.protocol._middleware import LoggingMiddleware, ProtocolMiddleware
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
    Turn,
)
from aip_trio.protocol._timestamp import timestamp
from aip_trio.resilience import HEARTBEAT_MACHINE, HeartbeatEvent, HeartbeatState

__all__ = [
    "COMMAND_MACHINE",
    "DEVICE_INFO_MACHINE",
    "HEARTBEAT_MACHINE",
    "LONGEST_ID",
    "REGISTRATION_MACHINE",
    "TASK_SESSION_MACHINE",
    "AIPProtocol",
    "Accepted",
    "Admission",
    "CommandEvent",
    "CommandProtocol",
    "CommandState",
    "DeviceInfoEvent",
    "DeviceInfoProtocol",
    "DeviceInfoState",
    "HeartbeatEvent",
    "HeartbeatProtocol",
    "HeartbeatState",
    "Link",
    "LoggingMiddleware",
    "MessageHandler",
    "ProtocolMiddleware",
    "Refused",
    "RegistrationEvent",
    "RegistrationProtocol",
    "RegistrationState",
    "TaskExecutionProtocol",
    "TaskSession",
    "TaskSessionEvent",
    "TaskSessionState",
    "Turn",
    "id_fault",
    "timestamp",
]
