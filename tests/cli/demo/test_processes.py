"""Processes that do not outlive their owners."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator

import psutil
import pytest
import trio
import trio.testing

from aip_trio.cli.demo import _process
from aip_trio.cli.demo._process import Process, Processes, SharedFile
from tests.cli.programs import gone

#: A program of ours that runs until it is told to stop, and says so.
ENDLESS = ["server", "--port", "0", "--json"]


@pytest.fixture
def log() -> Generator[SharedFile]:
    file = SharedFile()
    yield file
    file.close()


@pytest.fixture
def processes() -> Generator[Processes]:
    with Processes() as processes:
        yield processes


async def ready(process: Process, nursery: trio.Nursery) -> str:
    """Its first line."""
    came = trio.Event()
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        came.set()

    nursery.start_soon(process.read, on_line)
    with trio.fail_after(20):
        await came.wait()
    return lines[0]


@pytest.mark.trio
async def test_a_process_is_heard_and_ended_in_order(
    processes: Processes, log: SharedFile, nursery: trio.Nursery
) -> None:
    process = processes.start(ENDLESS, [], log)
    assert '"url": "ws://127.0.0.1:' in await ready(process, nursery)
    assert os.getpgid(process.pid) == process.pid
    with trio.fail_after(10):
        await process.end()
    assert process.reap() == 128 + signal.SIGTERM
    assert not psutil.pid_exists(process.pid)
    assert log.last_line() == ""


@pytest.mark.trio
async def test_a_process_that_does_not_end_is_killed(
    processes: Processes, log: SharedFile, monkeypatch: pytest.MonkeyPatch, nursery: trio.Nursery
) -> None:
    monkeypatch.setattr(_process, "_GRACE", 0.1)
    process = processes.start(ENDLESS, [], log)
    await ready(process, nursery)
    process.signal(signal.SIGSTOP)
    with trio.fail_after(10):
        await process.end()
    assert process.reap() == -signal.SIGKILL


@pytest.mark.trio
async def test_a_death_is_noticed_at_once_by_all_who_wait(
    processes: Processes, log: SharedFile, nursery: trio.Nursery
) -> None:
    process = processes.start(ENDLESS, [], log)
    noticed: list[float] = []

    async def wait() -> None:
        await process.wait()
        noticed.append(trio.current_time())

    nursery.start_soon(wait)
    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked(0.05)
    assert noticed == []
    killed = trio.current_time()
    process.signal(signal.SIGKILL)
    with trio.fail_after(5):
        await process.wait()
    await trio.testing.wait_all_tasks_blocked()
    assert len(noticed) == 2
    assert noticed[0] - killed < 1.0
    assert process.reap() == -signal.SIGKILL
    process.signal(signal.SIGKILL)  # nobody's id any more: nobody is hit
    await process.wait()


@pytest.mark.trio
async def test_a_cancelled_end_is_the_end_at_once(
    processes: Processes, log: SharedFile, nursery: trio.Nursery
) -> None:
    process = processes.start(ENDLESS, [], log)
    await ready(process, nursery)
    process.signal(signal.SIGSTOP)
    with trio.move_on_after(0.1) as scope:
        await process.end()
    assert scope.cancelled_caught
    assert process.reap() == -signal.SIGKILL


@pytest.mark.trio
async def test_why_a_process_ended_is_in_its_log(processes: Processes, log: SharedFile) -> None:
    process = processes.start(["server", "--host", "nonsense"], [], log)
    with trio.fail_after(20):
        await process.wait()
    assert process.reap() == 2
    assert log.last_line().startswith("aip-trio: error: host='nonsense'")


def test_whatever_happens_none_is_left(log: SharedFile) -> None:
    started: list[Process] = []
    with pytest.raises(ZeroDivisionError), Processes() as processes:
        started += [processes.start(ENDLESS, [], log) for _ in range(2)]
        raise ZeroDivisionError
    assert [process.reap() for process in started] == [-signal.SIGKILL] * 2


def test_a_shared_file_is_read_from_its_beginning_by_each_and_has_no_name() -> None:
    file = SharedFile(b"secret\n")
    show = [sys.executable, "-c", "import sys; print(open(sys.argv[1]).read())", file.path]
    for _ in range(2):
        assert b"secret" in subprocess.check_output(show, pass_fds=[file.fileno()])
    status = os.fstat(file.fileno())
    assert (status.st_nlink, status.st_mode & 0o077) == (0, 0)
    file.close()


OWNER = """
import sys, time
from aip_trio.cli.demo._process import Process, SharedFile
processes = []
for line in sys.stdin:
    processes.append(Process(["server", "--port", "0"], [], SharedFile()))
    print(processes[-1].pid, flush=True)
"""


def test_processes_end_when_their_owner_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        ready = started_by(owner)
        while not ready.net_connections():
            time.sleep(0.02)
        early = started_by(owner)
        owner.kill()
    assert gone([ready, early], 10)


def started_by(owner: "subprocess.Popen[str]") -> psutil.Process:
    """One more process of this owner."""
    assert owner.stdin is not None
    assert owner.stdout is not None
    owner.stdin.write("one more\n")
    owner.stdin.flush()
    return psutil.Process(int(owner.stdout.readline()))


def test_a_module_in_the_folder_at_hand_is_not_taken_for_ours(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, log: SharedFile
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "trio.py").write_text("raise SystemExit(99)")
    monkeypatch.chdir(folder)
    with Processes() as processes:
        process = processes.start(["server", "--host", "nonsense"], [], log)
        trio.run(process.wait)
        assert process.reap() == 2
