"""Transfers that are broken off and gone on with."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.errors import (
    ChecksumMismatch,
    ConnectionLost,
    TransferAborted,
    TransferAnnounced,
    TransferTooLarge,
    TransportError,
)
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import MemoryTransport, WebSocketTransport
from tests.protocol.transfer.ends import Seen, beat, beats, frames_of, memory, text

CHUNK = 4096
CONTENT = os.urandom(20 * CHUNK + 5)

Steps = list[int]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    path = tmp_path / "from" / "a"
    path.write_bytes(CONTENT)
    return path


async def attempt(source: Path, cut_at: int | None = None) -> Steps:
    """Send it, with resume, over a connection that is cut behind so many chunks; which of them were sent."""
    here, there = MemoryTransport.pair()
    steps: Steps = []

    def note(done: int, _: int) -> None:
        steps.append(-(-done // CHUNK) - 1)
        if cut_at == steps[-1] + 1:
            here.cut()

    async def send() -> None:
        with pytest.raises(ConnectionLost) if cut_at else contextlib.nullcontext():
            await AIPProtocol(here).send_file(source, CHUNK, resume=True, progress=note)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        with pytest.raises(ConnectionLost) if cut_at else contextlib.nullcontext():
            await AIPProtocol(there).receive_file(source.parents[1] / "to")
    return steps


def change(source: Path) -> None:
    """Another content, and nothing but its bytes tells it."""
    status = source.stat()
    source.write_bytes(CONTENT[::-1])
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))


def content_of(source: Path, name: str) -> bytes:
    return (source.parents[1] / "to" / name).read_bytes()


def left(source: Path) -> list[str]:
    return sorted(os.listdir(source.parents[1] / "to"))


@pytest.mark.trio
@pytest.mark.parametrize("cut_at", [1, 2, 7, 20, 21])
async def test_it_goes_on_with_the_chunk_that_was_missing(source: Path, cut_at: int) -> None:
    assert await attempt(source, cut_at) == list(range(cut_at))
    assert left(source) == [".a.part", ".a.part.journal"]
    assert await attempt(source) == list(range(min(cut_at, 20), 21))  # the last one goes again
    assert left(source) == ["a"]
    assert content_of(source, "a") == CONTENT


@pytest.mark.trio
async def test_cut_again_and_again_no_chunk_is_sent_twice(source: Path) -> None:
    sent: Steps = []
    for cut_at in (1, 5, 9, 14):
        sent += await attempt(source, cut_at)
    assert [*sent, *(await attempt(source))] == list(range(21))
    assert left(source) == ["a"]


@pytest.mark.trio
async def test_a_file_that_was_changed_is_sent_anew(source: Path) -> None:
    await attempt(source, 7)
    change(source)
    assert (await attempt(source))[0] == 0
    assert content_of(source, "a") == CONTENT[::-1]


@pytest.mark.trio
async def test_a_cancelled_receive_keeps_what_came(source: Path) -> None:
    with trio.CancelScope() as scope:
        async with memory() as (here, there), trio.open_nursery() as nursery:

            def cancel(done: int, _: int) -> None:
                if done >= 5 * CHUNK:
                    scope.cancel()

            nursery.start_soon(partial(here.send_file, source, CHUNK, resume=True))
            await there.receive_file(source.parents[1] / "to", progress=cancel)
    assert left(source) == [".a.part", ".a.part.journal"]
    assert (await attempt(source))[0] == 5


@pytest.mark.trio
async def test_what_is_wrong_is_not_kept(source: Path) -> None:
    async with memory() as (here, there):
        await here.transport.send(
            text(
                type="file_transfer_start",
                filename="a",
                size=2 * CHUNK,
                chunk_size=CHUNK,
                total_chunks=2,
                transfer_id="id",
                resume=True,
            )
        )
        for number in range(2):
            await here.send_binary_message(b"x" * CHUNK, {"chunk_num": number})
        await here.transport.send(
            text(type="file_transfer_complete", filename="a", total_chunks=2, checksum="0" * 32)
        )
        with pytest.raises(ChecksumMismatch):
            await there.receive_file(source.parents[1] / "to")
        answer, refusal = await frames_of(here, 2)
    assert isinstance(answer, dict)
    assert (answer["type"], answer["transfer_id"], answer["chunks"]) == ("file_transfer_resume", "id", 0)
    assert isinstance(refusal, dict)
    assert (refusal["type"], refusal["reason"]) == ("file_transfer_abort", "ChecksumMismatch")
    assert left(source) == []


@pytest.mark.trio
async def test_a_receiver_that_keeps_nothing_says_so(source: Path) -> None:
    async with memory() as (here, there), trio.open_nursery() as nursery:
        nursery.start_soon(partial(here.send_file, source, CHUNK, resume=True))
        looked: list[list[str]] = []
        await there.receive_file(
            source.parents[1] / "to", resume=False, progress=Seen(lambda: looked.append(left(source)))
        )
    assert looked == [[".a.part"]] * 21
    assert left(source) == ["a"]


@pytest.mark.trio
async def test_chunks_too_small_for_a_journal_are_not_kept(source: Path) -> None:
    async with memory() as (here, there), trio.open_nursery() as nursery:
        nursery.start_soon(partial(here.send_file, source, 1000, resume=True))
        looked: set[str] = set()
        await there.receive_file(source.parents[1] / "to", progress=Seen(lambda: looked.update(left(source))))
    assert looked == {".a.part"}


@pytest.mark.trio
async def test_a_sender_learns_that_it_is_not_wanted_before_it_sends_anything(source: Path) -> None:
    seen = Seen()
    async with memory() as (here, there), trio.open_nursery() as nursery:

        async def send() -> None:
            with pytest.raises(TransferAborted, match="the receiver did: TransferTooLarge"):
                await here.send_file(source, CHUNK, resume=True, progress=seen)
            await here.send_message(beat(1))

        nursery.start_soon(send)
        with pytest.raises(TransferTooLarge):
            await there.receive_file(source.parents[1] / "to", max_size=10)
        assert await beats(there, 1) == ["1"]
    assert seen.steps == []


async def peer_that_knows_nothing(there: AIPProtocol, frames: list[object]) -> None:
    while len(frames) < 1 + 2 * 21 + 1:
        frames += await frames_of(there, 1)


def test_a_peer_that_knows_nothing_of_it_gets_the_whole_file_a_little_later(source: Path) -> None:
    frames: list[object] = []

    async def scenario() -> None:
        async with memory() as (here, there), trio.open_nursery() as nursery:
            nursery.start_soon(peer_that_knows_nothing, there, frames)
            times = [trio.current_time()]
            await here.send_file(
                source, CHUNK, resume=True, progress=Seen(lambda: times.append(trio.current_time()))
            )
            assert 10 < times[1] - times[0] < 11

    trio.run(scenario, clock=MockClock(autojump_threshold=0))
    assert b"".join(frame for frame in frames if isinstance(frame, bytes)) == CONTENT


@pytest.mark.parametrize(
    "answer",
    [
        {"chunks": 5, "checksum": "0" * 32},
        {"chunks": 21, "checksum": "0" * 32},
        {"chunks": 2**50, "checksum": "0" * 32},
        {"chunks": 5},
    ],
)
@pytest.mark.trio
async def test_an_answer_that_is_not_so_gets_the_whole_file(source: Path, answer: dict[str, object]) -> None:
    frames: list[object] = []
    async with memory() as (here, there), trio.open_nursery() as nursery:
        nursery.start_soon(partial(here.send_file, source, CHUNK, resume=True, transfer_id="mine"))
        frames += await frames_of(there, 1)
        await there.transport.send(text(type="file_transfer_resume", transfer_id="mine", **answer))
        await peer_that_knows_nothing(there, frames)
    assert b"".join(frame for frame in frames if isinstance(frame, bytes)) == CONTENT


def test_an_answer_that_comes_too_late_is_nothing(source: Path) -> None:
    async def scenario() -> None:
        async with memory() as (here, there), trio.open_nursery() as nursery:
            frames: list[object] = []
            nursery.start_soon(peer_that_knows_nothing, there, frames)
            await here.send_file(source, CHUNK, resume=True, transfer_id="mine")
            await there.transport.send(
                text(type="file_transfer_resume", transfer_id="mine", chunks=5, checksum="0" * 32)
            )
            await there.send_message(beat(1))
            assert await beats(here, 1) == ["1"]

    trio.run(scenario, clock=MockClock(autojump_threshold=0))


@pytest.mark.trio
@pytest.mark.parametrize("reader", ["none", "before", "after"])
async def test_who_receives_beside_the_sender_misses_nothing(source: Path, reader: str) -> None:
    await attempt(source, 7)
    got: list[str | None] = []
    async with memory() as (here, there), trio.open_nursery() as nursery:

        async def read() -> None:
            got.extend(await beats(here, 3))

        async def receive() -> None:
            await there.send_message(beat(1))
            await wait_all_tasks_blocked(0.05)
            await there.send_message(beat(2))
            await there.receive_file(source.parents[1] / "to")
            await there.send_message(beat(3))

        if reader == "before":
            nursery.start_soon(read)
            await wait_all_tasks_blocked()
        seen = Seen()
        nursery.start_soon(partial(here.send_file, source, CHUNK, resume=True, progress=seen))
        if reader == "after":
            await wait_all_tasks_blocked(0.05)
            nursery.start_soon(read)
        nursery.start_soon(receive)
        if reader == "none":
            await wait_all_tasks_blocked(0.1)
            nursery.start_soon(read)
    assert got == ["1", "2", "3"]
    assert seen.steps[0][0] == 8 * CHUNK


@pytest.mark.trio
async def test_two_that_send_to_each_other_at_once_both_arrive(source: Path) -> None:
    folder = source.parents[1] / "to"
    async with memory() as (here, there), trio.open_nursery() as nursery:
        for protocol in (here, there):
            nursery.start_soon(partial(protocol.send_file, source, CHUNK, resume=True))
        await wait_all_tasks_blocked(0.05)
        nursery.start_soon(here.receive_file, folder / "x")
        nursery.start_soon(there.receive_file, folder / "y")
    assert [(folder / name).read_bytes() for name in ("x", "y")] == [CONTENT, CONTENT]


@pytest.mark.trio
async def test_a_file_that_a_waiting_sender_finds_is_told_to_who_receives(source: Path) -> None:
    async with memory() as (here, there), trio.open_nursery() as nursery:
        for protocol in (here, there):
            nursery.start_soon(partial(protocol.send_file, source, CHUNK, resume=True))
        await wait_all_tasks_blocked(0.05)
        for protocol, name in ((here, "x"), (there, "y")):
            with pytest.raises(TransferAnnounced, match="got file_transfer_start where a message was due"):
                await protocol.receive_message()
            nursery.start_soon(protocol.receive_file, source.parents[1] / "to" / name)
    assert left(source) == ["x", "y"]


#: Of 64 KiB each: far more than a socket's buffers hold.
_MANY = 400

RECEIVER = """
    import sys, trio
    from aip_trio.protocol import AIPProtocol
    from aip_trio.transport import WebSocketTransport, serve_websocket

    async def receive(transport):
        await AIPProtocol(transport).receive_file(sys.argv[1])
        print("done", flush=True)

    async def main():
        async with trio.open_nursery() as nursery:
            server = await serve_websocket(receive, nursery=nursery)
            print(server.url, flush=True)

    trio.run(main)
"""


@contextlib.contextmanager
def receiver(folder: Path) -> Generator[subprocess.Popen[str]]:
    """A process that receives into this folder."""
    command = [sys.executable, "-c", textwrap.dedent(RECEIVER), os.fspath(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(process: subprocess.Popen[str]) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def kill(process: subprocess.Popen[str], steps: Steps, moment: int, done: int, _: int) -> None:
    """A progress callback, which kills the process behind so many steps."""
    steps.append(done // 65536 - 1)
    if len(steps) == moment:
        process.kill()


async def upload(source: Path, url: str, progress: Callable[[int, int], object]) -> None:
    async with WebSocketTransport(close_timeout=1.0) as transport:
        await transport.connect(url)
        await AIPProtocol(transport).send_file(source, 65536, resume=True, progress=progress)


@pytest.mark.trio
async def test_a_receiver_that_is_killed_at_any_moment_goes_on_in_its_next_life(source: Path) -> None:
    into = source.parents[1] / "to"
    os.truncate(source, _MANY * 65536)
    began: Steps = []
    for moment in (20, 90):
        steps: Steps = []
        with receiver(into) as process:
            with pytest.raises(TransportError):
                await upload(source, url_of(process), partial(kill, process, steps, moment))
        began.append(steps[0])
        assert "a" not in left(source)
    last: Steps = []
    with receiver(into) as process:
        await upload(source, url_of(process), partial(kill, process, last, -1))
        assert await trio.to_thread.run_sync(url_of, process) == "done"
    assert content_of(source, "a") == CONTENT.ljust(_MANY * 65536, b"\0")
    assert began[0] == 0 < last[0]
    assert [*began, last[0]] == sorted([*began, last[0]])
    assert left(source) == ["a"]
