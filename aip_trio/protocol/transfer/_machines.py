"""In which order the frames of a file go, at either end."""

from enum import Enum

from aip_trio.machine import Machine

__all__ = [
    "FILE_RECEIVE_MACHINE",
    "FILE_SEND_MACHINE",
    "FileReceiveEvent",
    "FileReceiveState",
    "FileSendEvent",
    "FileSendState",
]


class FileSendState(Enum):
    """Where the sender of a file stands."""

    READY = "ready"
    #: announced, and the receiver is asked what it has
    ASKING = "asking"
    SENDING = "sending"
    #: all chunks are sent
    SENT = "sent"
    COMPLETED = "completed"
    FAILED = "failed"


class FileSendEvent(Enum):
    """What the sender of a file does."""

    START = "start"
    #: announce a file that has no chunk
    START_EMPTY = "start_empty"
    ASK = "ask"
    #: begin with some chunk, answered or not
    RESUME = "resume"
    CHUNK = "chunk"
    LAST_CHUNK = "last_chunk"
    COMPLETE = "complete"
    FAIL = "fail"


FILE_SEND_MACHINE = Machine(
    "file send",
    initial=FileSendState.READY,
    terminal={FileSendState.COMPLETED, FileSendState.FAILED},
    table={
        FileSendState.READY: {
            FileSendEvent.START: FileSendState.SENDING,
            FileSendEvent.START_EMPTY: FileSendState.SENT,
            FileSendEvent.ASK: FileSendState.ASKING,
            FileSendEvent.FAIL: FileSendState.FAILED,
        },
        FileSendState.ASKING: {
            FileSendEvent.RESUME: FileSendState.SENDING,
            FileSendEvent.FAIL: FileSendState.FAILED,
        },
        FileSendState.SENDING: {
            FileSendEvent.CHUNK: FileSendState.SENDING,
            FileSendEvent.LAST_CHUNK: FileSendState.SENT,
            FileSendEvent.FAIL: FileSendState.FAILED,
        },
        FileSendState.SENT: {
            FileSendEvent.COMPLETE: FileSendState.COMPLETED,
            FileSendEvent.FAIL: FileSendState.FAILED,
        },
    },
)


class FileReceiveState(Enum):
    """Where the receiver of a file stands."""

    WAITING = "waiting"
    RECEIVING = "receiving"
    #: the sender was told what is here already
    OFFERED = "offered"
    #: a chunk is announced, and its binary frame is due
    DUE = "due"
    #: all chunks are here
    WHOLE = "whole"
    COMPLETED = "completed"
    FAILED = "failed"


class FileReceiveEvent(Enum):
    """What comes to the receiver of a file, and what it does."""

    START = "start"
    #: a file is announced that has no chunk
    START_EMPTY = "start_empty"
    OFFER = "offer"
    ANNOUNCE = "announce"
    CHUNK = "chunk"
    LAST_CHUNK = "last_chunk"
    COMPLETE = "complete"
    FAIL = "fail"


FILE_RECEIVE_MACHINE = Machine(
    "file receive",
    initial=FileReceiveState.WAITING,
    terminal={FileReceiveState.COMPLETED, FileReceiveState.FAILED},
    table={
        FileReceiveState.WAITING: {
            FileReceiveEvent.START: FileReceiveState.RECEIVING,
            FileReceiveEvent.START_EMPTY: FileReceiveState.WHOLE,
            FileReceiveEvent.FAIL: FileReceiveState.FAILED,
        },
        FileReceiveState.RECEIVING: {
            FileReceiveEvent.OFFER: FileReceiveState.OFFERED,
            FileReceiveEvent.ANNOUNCE: FileReceiveState.DUE,
            FileReceiveEvent.FAIL: FileReceiveState.FAILED,
        },
        FileReceiveState.OFFERED: {
            FileReceiveEvent.ANNOUNCE: FileReceiveState.DUE,
            FileReceiveEvent.FAIL: FileReceiveState.FAILED,
        },
        FileReceiveState.DUE: {
            FileReceiveEvent.CHUNK: FileReceiveState.RECEIVING,
            FileReceiveEvent.LAST_CHUNK: FileReceiveState.WHOLE,
            FileReceiveEvent.FAIL: FileReceiveState.FAILED,
        },
        FileReceiveState.WHOLE: {
            FileReceiveEvent.COMPLETE: FileReceiveState.COMPLETED,
            FileReceiveEvent.FAIL: FileReceiveState.FAILED,
        },
    },
)
