import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import trio

from aip_trio.endpoints.tools import _process
from aip_trio.endpoints.tools._process import Ended, run_process
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint

SH = "/bin/sh"


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_process, "GRACE", 0.3)


async def shell(script: str, *, stdin: bytes | None = None, most_output: int = 100_000) -> Ended:
    return await run_process(
        [SH, "-c", script], cwd="/", environment={"PATH": os.defpath}, stdin=stdin, most_output=most_output
    )


def group_of(pid_file: Path) -> int:
    """The group's number, as soon as the program has written it."""
    deadline = time.monotonic() + 10
    while not pid_file.exists() or not pid_file.read_text().endswith("\n"):
        assert time.monotonic() < deadline
    return int(pid_file.read_text())


def processes() -> Iterator[tuple[int, str, int, int]]:
    """Every process: its id, state, parent and group."""
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        state, parent, group = stat.rpartition(")")[2].split()[:3]
        yield pid, state, int(parent), int(group)


def living(group: int) -> list[int]:
    """The processes of a group that are no zombies."""
    return [pid for pid, state, _, of_group in processes() if of_group == group and state not in "ZX"]


def children() -> set[int]:
    """The processes that this one has to reap, some day."""
    return {pid for pid, _, parent, _ in processes() if parent == os.getpid()}


def assert_gone(group: int) -> None:
    """All are killed; the kernel takes a moment to carry it out."""
    deadline = time.monotonic() + 10
    while living(group):
        assert time.monotonic() < deadline


@pytest.mark.trio
async def test_a_program_ends_with_its_status_and_output() -> None:
    ended = await shell("echo out; echo error >&2; exit 3")
    assert ended == Ended(3, b"out\n", b"error\n", False)
    assert await shell("exit 0") == Ended(0, b"", b"", False)


@pytest.mark.trio
async def test_a_program_that_a_signal_ends_has_minus_its_number() -> None:
    assert (await shell("kill -USR1 $$")).exit_status == -signal.SIGUSR1


@pytest.mark.trio
async def test_its_input_is_empty_or_what_was_given() -> None:
    assert (await shell("cat")).stdout == b""
    data = b"x" * 1_000_000
    assert (await shell("wc -c", stdin=data)).stdout.strip() == b"1000000"
    assert (await shell("cat", stdin=data, most_output=10**7)).stdout == data
    assert (await shell("cat", stdin=b"")).stdout == b""


@pytest.mark.trio
async def test_a_program_need_not_read_its_input() -> None:
    assert (await shell("exec <&-; echo x", stdin=b"x" * 10_000_000)).stdout == b"x\n"
    assert (await shell("exit 4", stdin=b"x" * 10_000_000)).exit_status == 4


@pytest.mark.trio
async def test_of_a_flood_the_beginning_is_kept_and_the_rest_drained() -> None:
    script = "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2; echo end"
    ended = await shell(script, most_output=1000)
    assert (len(ended.stdout), len(ended.stderr), ended.truncated, ended.exit_status) == (1000, 1000, True, 0)


@pytest.mark.trio
async def test_output_that_just_fits_is_not_truncated() -> None:
    ended = await shell("printf 12345", most_output=5)
    assert (ended.stdout, ended.truncated) == (b"12345", False)


@pytest.mark.trio
async def test_what_a_program_leaves_running_is_killed_and_holds_nobody_up(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid; sleep 1000 & trap '' TERM; (trap '' TERM; sleep 1000) & echo x"
    with trio.fail_after(5):
        ended = await shell(script)
    assert ended == Ended(0, b"x\n", b"", False)
    assert_gone(group_of(tmp_path / "pid"))


@pytest.mark.trio
async def test_what_is_left_running_without_the_output_is_killed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_process, "GRACE", 1000)
    with trio.fail_after(5):
        await shell(f"echo $$ > {tmp_path}/pid; sleep 1000 >/dev/null 2>&1 &")
    assert_gone(group_of(tmp_path / "pid"))


@pytest.mark.trio
async def test_what_is_left_writing_may_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_process, "GRACE", 1000)
    with trio.fail_after(5):
        assert (await shell("(sleep 0.1; echo late) & echo soon")).stdout == b"soon\nlate\n"


@pytest.mark.trio
async def test_a_daemon_that_keeps_the_output_holds_nobody_up(tmp_path: Path) -> None:
    """It leaves the group on purpose: it is not killed, and not waited for."""
    daemon_script = f"echo \\$\\$ > {tmp_path}/pid; exec sleep 1000"
    with trio.fail_after(10):
        ended = await shell(f'setsid sh -c "{daemon_script}" & echo x')
    daemon = group_of(tmp_path / "pid")
    os.kill(daemon, signal.SIGKILL)
    assert ended == Ended(0, b"x\n", b"", True)  # it might write more


@pytest.mark.trio
async def test_a_cancelled_program_may_clean_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_process, "GRACE", 1000)
    pid, cleaned = tmp_path / "pid", tmp_path / "cleaned"
    script = f"trap 'echo > {cleaned}; exit' TERM; echo $$ > {pid}; while :; do sleep 0.05; done"
    await cancel_when_there(script, pid)
    assert cleaned.exists()
    assert_gone(group_of(pid))


@pytest.mark.trio
async def test_a_cancelled_program_that_does_not_listen_is_killed_with_all_of_its_group(
    tmp_path: Path,
) -> None:
    pid = tmp_path / "pid"
    script = f"trap '' TERM; sleep 1000 & sleep 1000 & echo $$ > {pid}; while :; do sleep 1000; done"
    await cancel_when_there(script, pid)
    assert_gone(group_of(pid))


@pytest.mark.trio
async def test_a_cancelled_program_that_floods_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    await cancel_when_there(f"trap '' TERM; echo $$ > {pid}; while :; do echo yyyyyyyy; done", pid)
    assert_gone(group_of(pid))


async def cancel_when_there(script: str, pid: Path) -> None:
    with trio.fail_after(10), trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shell, script)
            await trio.to_thread.run_sync(group_of, pid)
            scope.cancel()
    assert scope.cancelled_caught


@pytest.mark.trio
async def test_a_program_that_cannot_be_started_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        await run_process(["/nowhere"], cwd="/", environment={}, most_output=1)
    with pytest.raises(ValueError, match="null byte"):
        await run_process([SH, "\0"], cwd="/", environment={}, most_output=1)


@pytest.mark.trio
async def test_nothing_is_left_open() -> None:
    await shell("exit")
    own, before = children(), sorted(os.listdir("/proc/self/fd"))
    for script in ("exit 1", "cat", "sleep 1000 & exit"):
        await shell(script, stdin=b"x")
    with trio.move_on_after(0.05):
        await shell("sleep 1000")
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert children() == own


@pytest.mark.trio
async def test_it_does_without_pidfds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(pid: int, flags: int = 0) -> int:
        raise OSError

    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert (await shell("echo x; exit 2")) == Ended(2, b"x\n", b"", False)
    pid = tmp_path / "pid"
    await cancel_when_there(f"echo $$ > {pid}; sleep 1000", pid)
    assert_gone(group_of(pid))


def test_cancelled_anywhere_it_leaves_no_process(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    own = children()

    async def scenario(point: CancelPoint) -> None:
        pid.unlink(missing_ok=True)
        with point:
            await shell(f"echo $$ > {pid}; cat; sleep 0.01", stdin=b"x")
        if pid.exists() and pid.read_text():
            assert_gone(int(pid.read_text()))
        assert children() == own

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 3


def test_the_reader_of_processes_knows_the_living() -> None:
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as process:
        found, own = living(process.pid), children()
        process.kill()
        process.wait()
        assert found == [process.pid]
        assert process.pid in own
        assert living(process.pid) == []


def test_a_program_ends_when_the_device_is_killed(tmp_path: Path) -> None:
    # What is fed to the program is written after the guard has been told of it.
    code = """
import sys, trio
from aip_trio.endpoints.tools._process import run_process
script = ["/bin/sh", "-c", "read go; echo $$ > pid.new; mv pid.new pid; exec sleep 1000"]
trio.run(lambda: run_process(script, cwd=sys.argv[1], environment={}, stdin=b"go\\n", most_output=100))
"""
    written = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) as device:
        try:
            _wait(written.is_file)
            program = psutil.Process(int(written.read_text()))
        finally:
            device.kill()
    _wait(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
