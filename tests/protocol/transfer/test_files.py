"""Files from one end to the other, and what is left of those that do not arrive."""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio

from aip_trio.actors import RealEnvironment, open_system
from aip_trio.errors import (
    ChecksumMismatch,
    ChunkMismatch,
    ConnectionLost,
    FileUnavailable,
    InconsistentTransfer,
    InvalidSpec,
    SizeMismatch,
    SourceChanged,
    TransferAborted,
    TransferAnnounced,
    TransferError,
    TransferTooLarge,
    UnexpectedMessage,
    UnsafeFilename,
)
from aip_trio.messages import ClientMessage
from aip_trio.protocol import AIPProtocol
from aip_trio.protocol.transfer._part import Part
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport
from tests.protocol.transfer.ends import (
    Ends,
    Seen,
    beat,
    beats,
    frames_of,
    memory,
    open_files,
    text,
    websocket,
)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def content_of(path: str) -> bytes:
    return Path(path).read_bytes()


def empty(folder: Path) -> None:
    for path in folder.glob("*"):
        path.unlink()


@attrs.frozen
class Folders:
    """A file to send, and a folder to receive into."""

    source: Path
    into: Path

    @classmethod
    def make(cls, below: Path, content: bytes, name: str = "report.txt") -> Folders:
        folders = cls(below / "from" / name, below / "to")
        folders.source.parent.mkdir()
        folders.into.mkdir()
        folders.source.write_bytes(content)
        return folders

    @property
    def there(self) -> dict[str, bytes]:
        """What is in the folder that files are received into."""
        return {path.name: path.read_bytes() for path in self.into.iterdir()}


@pytest.mark.trio
@pytest.mark.parametrize("ends", [memory, websocket])
@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 100_000])
async def test_a_file_arrives(ends: Ends, size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    folders = Folders.make(tmp_path, content)
    sent, written = Seen(), Seen()
    async with ends() as (here, there), trio.open_nursery() as nursery:
        nursery.start_soon(partial(here.send_file, folders.source, 4096, progress=sent))
        received = await there.receive_file(folders.into, progress=written)
    assert received == {
        "filename": "report.txt",
        "size": size,
        "mime_type": "text/plain",
        "checksum": md5(content),
        "output_path": os.fspath(folders.into / "report.txt"),
    }
    assert folders.there == {"report.txt": content}
    steps = [(min(done, size), size) for done in range(4096, size + 4096, 4096)]
    assert sent.steps == written.steps == steps
    assert open_files(tmp_path) == []


@pytest.mark.trio
async def test_on_the_wire_it_is_what_existing_peers_read(tmp_path: Path) -> None:
    folders = Folders.make(tmp_path, b"0123456789", "a.png")
    async with memory() as (here, there):
        await here.send_file(os.fspath(folders.source), 4)
        chunks: list[object] = []
        for number, data in enumerate((b"0123", b"4567", b"89")):
            size = len(data)
            chunks += [{"type": "binary_data", "size": size, "chunk_num": number, "chunk_size": size}, data]
        assert await frames_of(there, 8) == [
            {
                "type": "file_transfer_start",
                "filename": "a.png",
                "size": 10,
                "chunk_size": 4,
                "total_chunks": 3,
                "mime_type": "image/png",
            },
            *chunks,
            {
                "type": "file_transfer_complete",
                "filename": "a.png",
                "total_chunks": 3,
                "checksum": md5(b"0123456789"),
            },
        ]


async def send_raw(peer: AIPProtocol, content: bytes = b"0123456789", **changes: object) -> None:
    """Send a file in chunks of 4, as a peer of another make does; changes are of the start, or the end."""
    start: dict[str, object] = {
        "filename": "a",
        "size": len(content),
        "chunk_size": 4,
        "total_chunks": -(-len(content) // 4),
        "mime_type": None,
    }
    end: dict[str, object] = {
        "filename": "a",
        "total_chunks": start["total_chunks"],
        "checksum": md5(content),
    }
    for name, value in changes.items():
        where, _, member = name.partition("_")
        {"start": start, "end": end}[where][member] = value
    await peer.transport.send(text(type="file_transfer_start", **start))
    for number, place in enumerate(range(0, len(content), 4)):
        data = content[place : place + 4]
        said = {"chunk_num": number, "chunk_size": len(data), "type": "binary_data", "size": len(data)}
        await peer.transport.send_announced(text(**said, timestamp="now"), data)
    await peer.transport.send(text(type="file_transfer_complete", **end))


@pytest.mark.trio
async def test_a_file_of_a_peer_of_another_make_arrives(tmp_path: Path) -> None:
    async with memory() as (here, there):
        await send_raw(there)
        received = await here.receive_file(tmp_path)
        assert (received["filename"], received["mime_type"]) == ("a", None)
        assert (tmp_path / "a").read_bytes() == b"0123456789"
        await send_raw(there, end_checksum=None)  # compute_checksum=False
        assert (await here.receive_file(tmp_path / "b"))["checksum"] is None
        await send_raw(there, end_checksum="0" * 32)
        await here.receive_file(tmp_path / "c", False)
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]


FAULTS: list[tuple[dict[str, object], type[TransferError]]] = [
    ({"end_checksum": "0" * 32}, ChecksumMismatch),
    ({"end_total_chunks": 4}, InconsistentTransfer),
    ({"start_total_chunks": 4}, InconsistentTransfer),
    ({"start_size": 11}, SizeMismatch),
    ({"start_size": 6, "start_total_chunks": 2}, SizeMismatch),
    ({"start_chunk_size": 5, "start_total_chunks": 2}, SizeMismatch),
    ({"start_size": 2**62, "start_total_chunks": 2**60}, TransferTooLarge),
    ({"start_filename": "../.."}, UnsafeFilename),
    ({"start_filename": "taken"}, FileUnavailable),
]


@pytest.mark.trio
@pytest.mark.parametrize("ends", [memory, websocket])
@pytest.mark.parametrize(("changes", "error"), FAULTS, ids=lambda value: str(value)[:40])
async def test_what_is_wrong_is_a_typed_error_and_only_that(
    ends: Ends, changes: dict[str, object], error: type[TransferError], tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "a").write_bytes(b"before")
    async with ends() as (here, there):
        await there.send_message(beat(1))
        await send_raw(there, b"0123456789", **changes)
        await there.send_message(beat(2))
        with pytest.raises(error):
            await here.receive_file(tmp_path, max_size=1000)
        assert await beats(here, 2) == ["1", "2"]  # and the rest of it is passed over
        await send_raw(there, b"another")
        await here.receive_file(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["a", "taken"]
    assert (tmp_path / "a").read_bytes() == b"another"
    assert open_files(tmp_path) == []


@pytest.mark.trio
async def test_nothing_is_written_of_a_file_that_is_too_large(tmp_path: Path) -> None:
    async with memory() as (here, there):
        await send_raw(there)
        with pytest.raises(TransferTooLarge) as raised:
            await here.receive_file(tmp_path / "new" / "a", max_size=9)
        assert (raised.value.size, raised.value.limit) == (10, 9)
        await send_raw(there)
        await here.receive_file(tmp_path / "a", max_size=10)
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.trio
async def test_a_chunk_too_many_or_in_the_wrong_place_is_an_error(tmp_path: Path) -> None:
    async with memory() as (here, there):
        start = text(type="file_transfer_start", filename="a", size=8, chunk_size=4, total_chunks=2)
        await there.transport.send(start)
        await there.send_binary_message(b"4567", {"chunk_num": 1})
        with pytest.raises(ChunkMismatch, match="chunk 1 came where chunk 0 was due"):
            await here.receive_file(tmp_path)
        await there.transport.send(start)
        for number in range(3):
            await there.send_binary_message(b"0123", {"chunk_num": number})
        with pytest.raises(UnexpectedMessage, match="got binary_data where file_transfer_complete was due"):
            await here.receive_file(tmp_path)
        await send_raw(there)
        await here.receive_file(tmp_path)
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.trio
@pytest.mark.parametrize("ends", [memory, websocket])
async def test_messages_and_another_file_go_beside_it_and_nothing_is_mixed_up(
    ends: Ends, tmp_path: Path
) -> None:
    contents = [os.urandom(50_000) for _ in range(3)]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}").write_bytes(content)
    async with ends() as (here, there), trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(here.send_file, tmp_path / f"{number}", 4096)
            nursery.start_soon(here.send_binary_message, b"x" * number)

        async def talk() -> None:
            for number in range(30):
                await here.send_message(beat(number))

        nursery.start_soon(talk)
        got: dict[str, bytes] = {}
        binary: list[bytes] = []
        while len(got) < 3 or len(binary) < 3:
            try:
                received = await there.receive_file(os.path.join(tmp_path, "into", ""))
                got[received["filename"]] = content_of(received["output_path"])
            except TransferAnnounced:
                binary.append((await there.receive_binary_message())[0])
        assert await beats(there, 30) == [str(number) for number in range(30)]
    assert [got[f"{number}"] for number in range(3)] == contents
    assert sorted(binary) == [b"", b"x", b"xx"]


@pytest.mark.trio
async def test_messages_that_pile_up_behind_a_transfer_end_it(tmp_path: Path) -> None:
    async with memory() as (here, there), trio.open_nursery() as nursery:

        async def talk() -> None:
            await there.transport.send(
                text(type="file_transfer_start", filename="a", size=8, chunk_size=4, total_chunks=2)
            )
            for number in range(2000):
                await there.send_message(beat(number))

        nursery.start_soon(talk)
        for _ in range(2):
            with pytest.raises(TransferAborted, match="1024 messages came in the middle of it"):
                await here.receive_file(tmp_path)
        assert await beats(here, 2000) == [str(number) for number in range(2000)]
    assert os.listdir(tmp_path) == []


@pytest.mark.trio
async def test_who_does_not_want_the_file_passes_it_over(tmp_path: Path) -> None:
    async with memory() as (here, there):
        await send_raw(there)
        await there.send_message(beat(1))
        with pytest.raises(TransferAnnounced, match=r"file_transfer_start .* receive_file\(\) takes it"):
            await here.receive_message(ClientMessage)
        assert await beats(here, 1) == ["1"]
        await send_raw(there)
        with pytest.raises(TransferAnnounced):
            await here.receive_message(ClientMessage)
        await here.receive_file(tmp_path)
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.trio
async def test_a_connection_that_is_lost_leaves_nothing_and_is_forgotten(tmp_path: Path) -> None:
    client, server = MemoryTransport.pair()
    here, there = AIPProtocol(client), AIPProtocol(server)
    await server.send(text(type="file_transfer_start", filename="a", size=8, chunk_size=4, total_chunks=2))
    await server.send(text(type="binary_data", size=4))
    async with trio.open_nursery() as nursery:

        async def cut() -> None:
            await trio.testing.wait_all_tasks_blocked(0.05)
            client.cut()

        nursery.start_soon(cut)
        with pytest.raises(ConnectionLost):
            await here.receive_file(tmp_path)
    assert os.listdir(tmp_path) == []
    again, server = MemoryTransport.pair()
    here.adopt(again)
    there.adopt(server)
    await there.send_message(beat(1))
    assert await beats(here, 1) == ["1"]


@pytest.mark.trio
async def test_what_is_not_there_or_is_no_file_cannot_be_sent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    async with memory() as (here, there):
        for name, code in (("absent", "ENOENT"), ("pipe", "EINVAL"), ("", "EISDIR")):
            with pytest.raises(FileUnavailable) as raised:
                await here.send_file(tmp_path / name)
            assert raised.value.code == code
            assert isinstance(raised.value, OSError)
        await here.send_message(beat(1))
        assert await beats(there, 1) == ["1"]
    assert open_files(tmp_path) == []


@pytest.mark.trio
async def test_a_file_that_becomes_shorter_is_an_error_at_both_ends(tmp_path: Path) -> None:
    folders = Folders.make(tmp_path, b"x" * 100_000)

    def shorten(done: int, _: int) -> None:
        if done == 8192:
            os.truncate(folders.source, 10_000)

    async with memory() as (here, there), trio.open_nursery() as nursery:

        async def send() -> None:
            with pytest.raises(SourceChanged, match="10000 of 100000 bytes were there"):
                await here.send_file(folders.source, 4096, progress=shorten)
            await here.send_message(beat(1))

        nursery.start_soon(send)
        with pytest.raises(TransferAborted, match="SourceChanged"):
            await there.receive_file(folders.into)
        assert await beats(there, 1) == ["1"]
    assert folders.there == {}


@pytest.mark.trio
async def test_what_the_progress_callback_raises_ends_the_transfer(tmp_path: Path) -> None:
    folders = Folders.make(tmp_path, b"x" * 100_000)

    def enough(done: int, _: int) -> None:
        if done > 50_000:
            raise ZeroDivisionError

    async with memory() as (here, there), trio.open_nursery() as nursery:
        nursery.start_soon(here.send_file, folders.source, 4096)
        with pytest.raises(ZeroDivisionError):
            await there.receive_file(folders.into, progress=enough)
        await here.send_message(beat(1))
        assert await beats(there, 1) == ["1"]
    assert folders.there == {}


@pytest.mark.trio
async def test_a_disk_that_fails_is_a_typed_error_and_leaves_nothing(tmp_path: Path) -> None:
    class Broken(RealEnvironment):
        def sync(self, file: int) -> None:
            raise OSError(28, "No space left on device")

    folders = Folders.make(tmp_path, b"x" * 10)
    async with open_system(environment=Broken()), memory() as (here, there), trio.open_nursery() as nursery:
        nursery.start_soon(here.send_file, folders.source)
        with pytest.raises(FileUnavailable, match="ENOSPC"):
            await there.receive_file(folders.into)
    assert folders.there == {}


@pytest.mark.trio
async def test_a_part_that_cannot_be_removed_is_told_beside_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(part: Part) -> None:
        part.leave()
        raise FileUnavailable(part.path, "EROFS", "Read-only file system")

    async with memory() as (here, there):
        await send_raw(there, end_checksum="0" * 32)
        with monkeypatch.context() as patch, pytest.raises(ChecksumMismatch) as raised:
            patch.setattr(Part, "discard", refuse)
            patch.setattr(Part, "leave", Part._close)
            await here.receive_file(tmp_path)
    assert "still there: file" in raised.value.__notes__[0]


@pytest.mark.trio
@pytest.mark.parametrize("options", [{"chunk_size": 0}, {"chunk_size": 1.5}, {"compute_checksum": False}])
async def test_options_out_of_range_are_refused(options: dict[str, object], tmp_path: Path) -> None:
    async with memory() as (here, _):
        send = partial(here.send_file, tmp_path, resume=True, **options)  # type: ignore[arg-type]
        with pytest.raises(InvalidSpec, match=next(iter(options))):
            await send()
        with pytest.raises(InvalidSpec, match="max_size"):
            await here.receive_file(tmp_path, max_size=-1)


def test_a_cancelled_receive_leaves_no_file_and_the_connection_whole(tmp_path: Path) -> None:
    content = b"0123456789" * 1000

    async def scenario(point: CancelPoint) -> None:
        empty(tmp_path)
        async with memory() as (here, there):
            await send_raw(there, content[:20])
            await there.send_message(beat(1))
            with point:
                await here.receive_file(tmp_path)
            if point.cancelled:
                assert os.listdir(tmp_path) in ([], ["a"])
                if os.listdir(tmp_path):
                    assert (tmp_path / "a").read_bytes() == content[:20]
            assert open_files(tmp_path) == []
            seen: list[str | None] = []
            while not seen:
                try:
                    seen = await beats(here, 1)
                except TransferAnnounced:  # cancelled before it was begun
                    continue
            assert seen == ["1"]

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 10


@pytest.mark.parametrize("resume", [False, True])
def test_a_cancelled_send_tells_the_receiver_and_leaves_the_connection_whole(
    tmp_path: Path, resume: bool
) -> None:
    kept = {".a.part", ".a.part.journal"} if resume else set[str]()
    source = tmp_path / "a"
    source.write_bytes(b"0123456789" * 2000)
    reasons: set[str] = set()

    async def scenario(point: CancelPoint) -> None:
        async with memory() as (here, there), trio.open_nursery() as nursery:
            ended = trio.Event()

            async def receive() -> None:
                try:
                    await there.receive_file(os.path.join(tmp_path, "into", ""))
                except TransferAborted as aborted:
                    reasons.add(aborted.reason)
                    assert set(os.listdir(tmp_path / "into")) == kept
                assert await beats(there, 1) == ["1"]
                ended.set()

            nursery.start_soon(receive)
            with point:
                await here.send_file(source, 4096, resume=resume)
            await here.send_message(beat(1))
            with trio.move_on_after(0.2):
                await ended.wait()
            if not ended.is_set():  # nothing was sent at all
                nursery.cancel_scope.cancel()
                assert point.cancelled
        empty(tmp_path / "into")
        assert open_files(tmp_path) == []

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 10
    assert reasons == {"by the sender: it was cancelled"}
