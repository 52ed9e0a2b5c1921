"""AIP's messages, as they go over the wire and as actors pass them; and the codec between both.

On the wire peers know two wide classes, `ClientMessage` and `ServerMessage`. Inside, each meaning has a
narrow class of its own: `narrow_client` and `narrow_server` lead in, `widen_client` and `widen_server`
lead out.
"""

from aip_trio.messages._client import (
    AskDeviceInfo,
    AskForTask,
    CommandResults,
    EndTask,
    ErrorFromClient,
    FromClient,
    Heartbeat,
    Register,
    ReportDeviceInfo,
    narrow_client,
    widen_client,
)
from aip_trio.messages._codec import MAX_SIZE, Codec, Format
from aip_trio.messages._commands import Command, MCPToolInfo, Result
from aip_trio.messages._enums import (
    ClientMessageType,
    ClientType,
    ResultStatus,
    ServerMessageType,
    TaskStatus,
    ToolType,
)
from aip_trio.messages._model import WireModel
from aip_trio.messages._screen import AppWindowControlInfo, ControlInfo, Rect, WindowInfo
from aip_trio.messages._server import (
    DeviceInfo,
    ErrorFromServer,
    FromServer,
    HeartbeatAck,
    OfferTask,
    QueryDeviceInfo,
    RunCommands,
    TaskEnded,
    narrow_server,
    widen_server,
)
from aip_trio.messages._transfer import (
    BinaryData,
    FileTransferAbort,
    FileTransferComplete,
    FileTransferResume,
    FileTransferStart,
    Transfer,
    TransferCodec,
    TransferMessage,
)
from aip_trio.messages._validator import MessageValidator
from aip_trio.messages._wide import ClientMessage, ServerMessage

__all__ = [
    "MAX_SIZE",
    "AppWindowControlInfo",
    "AskDeviceInfo",
    "AskForTask",
    "BinaryData",
    "ClientMessage",
    "ClientMessageType",
    "ClientType",
    "Codec",
    "Command",
    "CommandResults",
    "ControlInfo",
    "DeviceInfo",
    "EndTask",
    "ErrorFromClient",
    "ErrorFromServer",
    "FileTransferAbort",
    "FileTransferComplete",
    "FileTransferResume",
    "FileTransferStart",
    "Format",
    "FromClient",
    "FromServer",
    "Heartbeat",
    "HeartbeatAck",
    "MCPToolInfo",
    "MessageValidator",
    "OfferTask",
    "QueryDeviceInfo",
    "Rect",
    "Register",
    "ReportDeviceInfo",
    "Result",
    "ResultStatus",
    "RunCommands",
    "ServerMessage",
    "ServerMessageType",
    "TaskEnded",
    "TaskStatus",
    "ToolType",
    "Transfer",
    "TransferCodec",
    "TransferMessage",
    "WindowInfo",
    "WireModel",
    "narrow_client",
    "narrow_server",
    "widen_client",
    "widen_server",
]
