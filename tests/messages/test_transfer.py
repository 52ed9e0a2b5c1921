"""The messages about binary frames, told from all others."""

import json
from typing import Any

import pytest
from hypothesis import given

from aip_trio.errors import DecodeError, EncodeError
from aip_trio.messages import (
    BinaryData,
    FileTransferAbort,
    FileTransferComplete,
    FileTransferResume,
    FileTransferStart,
    TransferCodec,
    TransferMessage,
)
from tests.actors.model._settings import examples
from tests.messages.frames import VALID, Frame
from tests.messages.strategies import transfers

CODEC = TransferCodec()


@examples(200)
@given(transfers)
def test_what_is_written_is_read_back(message: TransferMessage) -> None:
    transfer = CODEC.decode(CODEC.encode(message))
    assert transfer is not None
    assert transfer.message == message
    assert transfer.members == {
        name: value for name, value in message.model_dump().items() if value is not None
    }


@pytest.mark.parametrize(
    ("message", "members"),
    [
        (BinaryData(size=3), {"type": "binary_data", "size": 3}),
        (
            BinaryData(
                size=3, filename="a.png", mime_type="image/png", checksum="00", chunk_num=0, chunk_size=8
            ),
            {
                "type": "binary_data",
                "size": 3,
                "filename": "a.png",
                "mime_type": "image/png",
                "checksum": "00",
                "chunk_num": 0,
                "chunk_size": 8,
            },
        ),
        (
            FileTransferStart(filename="a", size=9, chunk_size=8, total_chunks=2, mime_type="text/plain"),
            {
                "type": "file_transfer_start",
                "filename": "a",
                "size": 9,
                "chunk_size": 8,
                "total_chunks": 2,
                "mime_type": "text/plain",
            },
        ),
        (
            FileTransferComplete(filename="a", total_chunks=2, checksum="00"),
            {"type": "file_transfer_complete", "filename": "a", "total_chunks": 2, "checksum": "00"},
        ),
        (
            FileTransferResume(transfer_id="t", chunks=0),
            {"type": "file_transfer_resume", "transfer_id": "t", "chunks": 0},
        ),
        (
            FileTransferAbort(filename="a", reason="b"),
            {"type": "file_transfer_abort", "filename": "a", "reason": "b"},
        ),
    ],
    ids=["bare", "chunk", "start", "complete", "resume", "abort"],
)
def test_what_is_unset_is_left_out(message: TransferMessage, members: dict[str, Any]) -> None:
    assert json.loads(CODEC.encode(message)) == members


def test_members_of_the_callers_own_go_with_it_and_arrive() -> None:
    data = CODEC.encode(BinaryData(size=3), {"session_id": "s", "step": {"n": 1}})
    transfer = CODEC.decode(data)
    assert transfer is not None
    assert transfer.message == BinaryData(size=3)
    assert transfer.members == {"type": "binary_data", "size": 3, "session_id": "s", "step": {"n": 1}}


def test_members_that_would_replace_a_field_are_refused() -> None:
    with pytest.raises(EncodeError, match=r"BinaryData cannot be sent: extra has \['filename', 'size'\].*; "):
        CODEC.encode(BinaryData(size=3), {"size": 4, "filename": "b", "other": 1})


def test_members_without_a_form_in_json_are_refused_with_their_path() -> None:
    with pytest.raises(EncodeError, match=r" @ \$\['a'\]\[0\]; "):
        CODEC.encode(BinaryData(size=3), {"a": [object()]})


def test_what_metadata_says_of_a_binary_message_is_announced_with_it() -> None:
    data = CODEC.announce(3, {"filename": "a", "session_id": "s", "size": 4, "type": "task"})
    assert data == b'{"type":"binary_data","size":3,"filename":"a","session_id":"s"}'
    transfer = CODEC.decode(data)
    assert transfer is not None
    assert transfer.message == BinaryData(size=3, filename="a")


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        ({"filename": 7}, r"expected a string, got 7 @ \$\.filename; mend"),
        ({"chunk_num": -1}, r">= 0 @ \$\.chunk_num; mend"),
        ({"step": object()}, r" @ \$\['step'\]; "),
    ],
)
def test_metadata_that_cannot_be_announced_is_refused(metadata: dict[str, object], fault: str) -> None:
    with pytest.raises(EncodeError, match=fault):
        CODEC.announce(3, metadata)


@pytest.mark.parametrize("frame", VALID, ids=repr)
def test_other_messages_are_none_of_these(frame: Frame) -> None:
    assert CODEC.decode(frame.json.encode()) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"type":null}',
        b'{"type":["binary_data"]}',
        b'{"type":"binary"}',
    ],
)
def test_what_is_no_message_is_none_of_these(data: bytes) -> None:
    assert CODEC.decode(data) is None


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (b'{"type":"binary_data"}', ("is required @ $.size",)),
        (
            b'{"type":"binary_data","size":-1,"filename":7}',
            ("Expected `int` >= 0 @ $.size", "expected a string, got 7 @ $.filename"),
        ),
        (b'{"type":"binary_data","size":true}', ("Expected `int`, got `bool` @ $.size",)),
        (
            b'{"type":"file_transfer_start","filename":"a","size":1,"chunk_size":0,"total_chunks":"2"}',
            ("Expected `int` >= 1 @ $.chunk_size", "Expected `int`, got `str` @ $.total_chunks"),
        ),
        (
            b'{"type":"file_transfer_complete"}',
            ("is required @ $.filename", "is required @ $.total_chunks"),
        ),
    ],
)
def test_one_of_these_gone_wrong_is_an_error_that_lists_each_fault(
    data: bytes, faults: tuple[str, ...]
) -> None:
    with pytest.raises(DecodeError) as raised:
        CODEC.decode(data)
    assert raised.value.faults == faults


def test_a_frame_beyond_max_size_is_none_of_these() -> None:
    data = CODEC.encode(BinaryData(size=3))
    assert TransferCodec(max_size=len(data)).decode(data) is not None
    assert TransferCodec(max_size=len(data) - 1).decode(data) is None
