"""Binary messages and files between the messages of a connection.

Which frame is next is decided by `FileSend` and `FileReceive`, without I/O; `Upload` and `Download` do it.
"""

from aip_trio.protocol.transfer._download import ReceivedFile
from aip_trio.protocol.transfer._machines import (
    FILE_RECEIVE_MACHINE,
    FILE_SEND_MACHINE,
    FileReceiveEvent,
    FileReceiveState,
    FileSendEvent,
    FileSendState,
)
from aip_trio.protocol.transfer._outline import Chunk, Outline
from aip_trio.protocol.transfer._receiving import FileReceive
from aip_trio.protocol.transfer._sending import FileSend
from aip_trio.protocol.transfer._transfers import Transfers
from aip_trio.protocol.transfer._upload import Progress

__all__ = [
    "FILE_RECEIVE_MACHINE",
    "FILE_SEND_MACHINE",
    "Chunk",
    "FileReceive",
    "FileReceiveEvent",
    "FileReceiveState",
    "FileSend",
    "FileSendEvent",
    "FileSendState",
    "Outline",
    "Progress",
    "ReceivedFile",
    "Transfers",
]
