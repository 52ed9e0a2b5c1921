from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import trio

from aip_trio.transport.zeromq import Kind, ZeroMQSocket
from tests.transport.zeromq.joined import SCHEMES, address, joined


@pytest.mark.trio
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_address_is_free_again_when_its_socket_is_closed(scheme: str, tmp_path: Path) -> None:
    async with ZeroMQSocket(Kind.ROUTER) as socket:
        url = await socket.bind(address(scheme, tmp_path))
    for _ in range(50):
        async with ZeroMQSocket(Kind.ROUTER) as again, ZeroMQSocket(Kind.DEALER) as client:
            assert await again.bind(url) == url
            await client.connect(url)
            await client.send([b"hello"])
            await again.receive()


@pytest.mark.trio
async def test_what_waits_to_be_sent_is_sent_before_close_returns() -> None:
    async with ZeroMQSocket(Kind.PULL) as pull:
        url = await pull.bind("tcp://127.0.0.1:*")
        async with ZeroMQSocket(Kind.PUSH, linger=5) as push:
            await push.connect(url)
            for _ in range(100):
                await push.send([b"x" * 10000])
            began = time.monotonic()
            await push.close()
            assert time.monotonic() - began < 4
        with trio.fail_after(5):
            for _ in range(100):
                await pull.receive()


@pytest.mark.trio
@pytest.mark.parametrize("by_call", [True, False])
async def test_closing_lasts_no_longer_than_linger_where_nobody_takes_what_waits(*, by_call: bool) -> None:
    async with ZeroMQSocket(Kind.PUSH, linger=60 if by_call else 0.2) as push:
        await push.connect("tcp://127.0.0.1:9")
        await push.send([b"for nobody"])
        began = time.monotonic()
        await push.close(*[0.2] * by_call)
        assert 0.1 < time.monotonic() - began < 5


@pytest.mark.trio
async def test_a_cancelled_close_is_immediate_and_closes() -> None:
    async with ZeroMQSocket(Kind.PUSH, linger=60) as push:
        await push.connect("tcp://127.0.0.1:9")
        await push.send([b"for nobody"])
        began = time.monotonic()
        with trio.CancelScope() as scope:
            scope.cancel()
            await push.close()
        assert scope.cancelled_caught
        assert time.monotonic() - began < 5
        assert push.closed


@pytest.mark.trio
async def test_leaving_the_block_by_an_error_closes_too() -> None:
    url = ""
    with pytest.raises(ZeroDivisionError):
        async with ZeroMQSocket(Kind.PULL) as pull:
            url = await pull.bind("tcp://127.0.0.1:*")
            raise ZeroDivisionError
    async with ZeroMQSocket(Kind.PULL) as again:
        await again.bind(url)


@pytest.mark.trio
async def test_closing_a_socket_leaves_the_other_end_of_inproc_in_peace() -> None:
    async with joined(Kind.PULL, Kind.PUSH) as (pull, push):
        await push.send([b"last"])
        await push.close()
        assert await pull.receive() == [b"last"]
        with pytest.raises(trio.WouldBlock):
            pull.receive_nowait()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def use_sockets(folder: Path) -> None:
    for scheme in SCHEMES:
        async with joined(Kind.ROUTER, Kind.DEALER, address(scheme, folder)) as (router, dealer):
            await dealer.send([b"hello"])
            await router.receive()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_run_after_run_leaves_no_descriptor_and_no_thread(tmp_path: Path) -> None:
    trio.run(use_sockets, tmp_path)
    before, threads = descriptors(), threading.active_count()
    for _ in range(30):
        trio.run(use_sockets, tmp_path)
    assert descriptors() <= before
    assert threading.active_count() <= threads + 1  # Trio keeps a thread for the next who needs one


def run_program(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


FORGETFUL = """
import trio
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

async def main():
    push = ZeroMQSocket(Kind.PUSH, linger=1000)
    await push.connect("tcp://127.0.0.1:9")
    await push.send([b"for nobody"])
    router = ZeroMQSocket(Kind.ROUTER)
    await router.bind("tcp://127.0.0.1:*")
    return push, router

kept = trio.run(main)
again = trio.run(main)
print("over")
"""


def test_sockets_that_nobody_closed_hold_up_neither_the_run_nor_the_process() -> None:
    done = run_program(FORGETFUL)
    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")


LINGERING = """
import sys
import trio
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

async def main():
    async with ZeroMQSocket(Kind.PUSH, linger=10) as push:
        await push.connect(sys.argv[1])
        await push.send([b"last words"])

trio.run(main)
"""


@pytest.mark.trio
async def test_what_was_sent_before_the_end_of_a_program_arrives() -> None:
    async with ZeroMQSocket(Kind.PULL) as pull:
        url = await pull.bind("tcp://127.0.0.1:*")
        done = await trio.to_thread.run_sync(run_program, LINGERING, url)
        assert (done.returncode, done.stderr) == (0, "")
        with trio.fail_after(5):
            assert await pull.receive() == [b"last words"]


FORKED = """
import os
import trio
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

async def main():
    async with ZeroMQSocket(Kind.PULL) as pull, ZeroMQSocket(Kind.PUSH) as push:
        await push.connect(await pull.bind("tcp://127.0.0.1:*"))
        await push.send([b"hello"])
        assert await pull.receive() == [b"hello"]

trio.run(main)
child = os.fork()
trio.run(main)
if child:
    assert os.waitpid(child, 0)[1] == 0
    print("over")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_forked_between_two_runs_has_sockets_of_its_own() -> None:
    done = run_program(FORKED)
    assert (done.returncode, done.stdout) == (0, "over\n"), done.stderr
