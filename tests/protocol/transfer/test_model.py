"""Both ends of a file, without I/O, over a connection that is cut anywhere, and with frames that lie."""

import hashlib
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import AipError, ChecksumMismatch, ChunkMismatch, InconsistentTransfer, SizeMismatch
from aip_trio.messages import BinaryData, FileTransferComplete, FileTransferResume, FileTransferStart
from aip_trio.protocol import FileReceive, FileSend, Outline
from tests.actors.model._settings import examples

Frame = FileTransferStart | BinaryData | bytes | FileTransferComplete | FileTransferResume


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@attrs.define
class Sender:
    """What a shell does around `FileSend`, with the file in memory."""

    content: bytes
    chunk_size: int
    resumes: bool

    def frames(self, ask: Callable[[FileTransferStart], FileTransferResume | None]) -> "list[Frame]":
        """All frames of one attempt; ``ask`` is what its receiver answers."""
        outline = Outline("a", len(self.content), self.chunk_size)
        send = FileSend(outline, "id" if self.resumes else None)
        start = send.start()
        frames: list[Frame] = [start]
        if send.asks:
            answer = ask(start)
            chunks = send.claimed(answer)
            if answer is not None and md5(self.content[: outline.done(chunks)]) != answer.checksum:
                chunks = 0
            send.resume(chunks)
        while (chunk := send.due) is not None:
            frames += [send.announcement(chunk), self.content[chunk.offset : chunk.offset + chunk.size]]
            send.sent()
        return [*frames, send.complete(md5(self.content))]


@attrs.define
class Receiver:
    """What a shell does around `FileReceive`. ``part``: what has stayed here of earlier attempts."""

    part: bytes = b""
    receive: FileReceive | None = None

    def asked(self, start: FileTransferStart) -> FileTransferResume:
        self.receive = FileReceive(start)
        self.receive.begin()
        outline = self.receive.outline
        chunks = min(len(self.part) // outline.chunk_size, outline.total_chunks - 1)
        self.part = self.part[: outline.done(chunks)]
        return self.receive.offer(chunks, md5(self.part))

    def take(self, frames: "list[Frame]") -> bool:
        """Take what came of an attempt; whether the file is there."""
        for frame in frames:
            match frame:
                case FileTransferStart():
                    if not frame.resume:
                        self.receive, self.part = FileReceive(frame), b""
                        self.receive.begin()
                case BinaryData() | FileTransferComplete() if self.receive and not self.receive.whole:
                    if self.receive.announced(frame).number == 0:
                        self.part = b""
                case BinaryData() | FileTransferComplete() if self.receive:
                    self.receive.complete(frame, md5(self.part))
                    return True
                case bytes() if self.receive:
                    self.receive.arrived(len(frame))
                    self.part += frame
                case _:
                    raise AssertionError(frame)
        return False


contents = st.binary(max_size=40)
chunk_sizes = st.integers(1, 9)


@examples(300)
@given(contents, chunk_sizes, st.booleans(), st.lists(st.integers(0, 60), max_size=6))
def test_cut_anywhere_and_any_number_of_times_it_arrives_whole(
    content: bytes, chunk_size: int, resumes: bool, cuts: list[int]
) -> None:
    sender, receiver = Sender(content, chunk_size, resumes), Receiver()
    done = False
    for cut in cuts:
        before = len(receiver.part)
        frames = sender.frames(receiver.asked)
        done = receiver.take(frames[:cut])
        assert content.startswith(receiver.part)
        if resumes and len(content) > chunk_size and cut:
            assert len(receiver.part) >= min(before, len(content) - chunk_size)  # nothing is sent in vain
        if done:
            break
    if not done:
        assert receiver.take(sender.frames(receiver.asked))
    assert receiver.part == content


@examples(200)
@given(contents, chunk_sizes, st.binary(max_size=40))
def test_a_part_of_another_content_is_never_gone_on_with(
    content: bytes, chunk_size: int, part: bytes
) -> None:
    receiver = Receiver(part)
    assert receiver.take(Sender(content, chunk_size, True).frames(receiver.asked))
    assert receiver.part == content


@examples(300)
@given(st.binary(min_size=1, max_size=40), chunk_sizes, st.data())
def test_one_frame_lost_doubled_swapped_or_changed_is_an_error_and_never_another_file(
    content: bytes, chunk_size: int, data: st.DataObject
) -> None:
    frames = Sender(content, chunk_size, False).frames(lambda start: None)
    at = data.draw(st.integers(1, len(frames) - 1), "place")
    harm = data.draw(st.sampled_from(["lose", "double", "swap", "longer", "shorter", "bit"]), "harm")
    frame = frames[at]
    if harm == "lose":
        del frames[at]
    elif harm == "double":
        frames.insert(at, frame)
    elif harm == "swap":
        other = data.draw(st.integers(1, len(frames) - 1), "other place")
        frames[at], frames[other] = frames[other], frame
    elif isinstance(frame, bytes):
        changed = {"longer": frame + b"x", "shorter": frame[:-1], "bit": bytes([frame[0] ^ 1]) + frame[1:]}
        frames[at] = changed[harm]
    receiver = Receiver()
    try:
        done = receiver.take(frames)
    except (AipError, AssertionError):
        return
    assert not done or receiver.part == content


def receive(size: int = 20, chunk_size: int = 8) -> FileReceive:
    total = -(-size // chunk_size)
    start = FileTransferStart(filename="a", size=size, chunk_size=chunk_size, total_chunks=total)
    receiving = FileReceive(start)
    receiving.begin()
    return receiving


def test_each_error_names_the_file_the_chunk_and_both_values() -> None:
    receiving = receive()
    with pytest.raises(ChunkMismatch, match=r"'a': chunk 1 came where chunk 0 was due"):
        receiving.announced(BinaryData(size=8, chunk_num=1))
    with pytest.raises(SizeMismatch, match=r"chunk 0 of file 'a' has 7 bytes where 8 are due"):
        receiving.announced(BinaryData(size=7, chunk_num=0))
    receiving.announced(BinaryData(size=8, chunk_num=0))
    with pytest.raises(SizeMismatch, match=r"chunk 0 of file 'a' has 9 bytes where 8 are due"):
        receiving.arrived(9)
    receiving.arrived(8)
    with pytest.raises(InconsistentTransfer, match=r"'a' .* ended behind chunk 1 of 3"):
        receiving.announced(FileTransferComplete(filename="a", total_chunks=3))


def test_peers_that_do_not_number_their_chunks_are_taken_by_their_order() -> None:
    receiving = receive()
    for size in (8, 8, 4):
        receiving.announced(BinaryData(size=size))
        receiving.arrived(size)
    assert receiving.complete(FileTransferComplete(filename="a", total_chunks=3, checksum="AB"), "ab") == "AB"


def test_another_checksum_is_an_error_that_tells_both() -> None:
    receiving = receive(0)
    with pytest.raises(ChecksumMismatch, match=r"'a' has checksum=bb where aa was announced"):
        receiving.complete(FileTransferComplete(filename="a", total_chunks=0, checksum="aa"), "bb")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        FileTransferResume(transfer_id="other", chunks=1, checksum="00"),
        FileTransferResume(transfer_id="id", chunks=3, checksum="00"),
        FileTransferResume(transfer_id="id", chunks=2**60, checksum="00"),
        FileTransferResume(transfer_id="id", chunks=1),
    ],
)
def test_an_absurd_answer_is_none(answer: FileTransferResume | None) -> None:
    assert FileSend(Outline("a", 20, 8), "id").claimed(answer) == 0


def test_a_file_of_one_chunk_is_not_asked_for() -> None:
    assert FileSend(Outline("a", 8, 8), "id").start().resume is None
