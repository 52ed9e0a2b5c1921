"""The console, driven by a script and by a user at a terminal."""

import json
import re
import signal
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.programs import PATIENCE, PROGRAM
from tests.cli.rpc.device import Device, peer_of, serving
from tests.cli.rpc.terminal_user import console_on_terminal

START, STOP = 100, 110


@pytest.fixture(scope="module")
def device() -> Generator[Device]:
    with serving("--identifier", "lab", "--heartbeat-interval", "0.1") as running_device:
        yield running_device


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    """An environment with a folder of its own for the history."""
    return {"XDG_STATE_HOME": str(tmp_path)}


def run(device: Device, script: str | bytes, *options: str) -> "subprocess.CompletedProcess[str]":
    """The console with a script as its input."""
    text = script.encode() if isinstance(script, str) else script
    done = subprocess.run(
        [*PROGRAM, "rpc", "console", *device.ports, *options],
        input=text,
        capture_output=True,
        timeout=PATIENCE,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def of_type(kind: str, output: str) -> list[dict[str, Any]]:
    return [told for told in map(json.loads, output.splitlines()) if told["type"] == kind]


def test_a_script_sends_line_by_line(device: Device) -> None:
    done = run(device, "# a comment\n\nstart\nstatus\nSTOP_ACQUISITION\nquit\nnever reached\n", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    replies = of_type("reply", done.stdout)
    assert [reply["command"] for reply in replies] == ["START_ACQUISITION", "GET_STATUS", "STOP_ACQUISITION"]
    assert replies[1]["data"]["mode"] == "acquiring"


def test_people_can_read_what_a_script_has_done(device: Device) -> None:
    done = run(device, 'user 5 {"some_key": 1}\nhelp\n')
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(
        r"^SUCCESS  USER_DEFINED  \([0-9.]+ ms\)\n    custom_command: 5\n", done.stdout, re.MULTILINE
    )
    assert "some_key: 1" in done.stdout
    assert re.search(r"^ +400  GET_STATUS$", done.stdout, re.MULTILINE)
    assert "\x1b" not in done.stdout


def test_lines_that_were_not_done_make_status_1_and_the_others_are_done(device: Device) -> None:
    done = run(device, 'dance\nstatus {\nemergency\nuser "\\ud800"\nstatus\n', "--json")
    assert (done.returncode, done.stderr) == (1, "")
    errors = [told["error"] for told in of_type("error", done.stdout)]
    beginnings = ["command='dance'", "data='{'", "command='emergency'", "message"]
    assert [error.partition(" ")[0] for error in errors] == beginnings
    (reply,) = of_type("reply", done.stdout)
    assert reply["command"] == "GET_STATUS"
    refused = run(device, "stop\n", "--json")
    assert (refused.returncode, of_type("reply", refused.stdout)[0]["result"]) == (1, "FAILED")


def test_what_is_pending_can_be_waited_for(device: Device) -> None:
    done = run(device, 'user {"sleep": 1}\n', "--json", "--wait")
    (reply,) = of_type("reply", done.stdout)
    assert reply["result"] == "SUCCESS"
    assert reply["seconds"] > 0.9


def test_the_input_may_be_anything(device: Device) -> None:
    done = run(device, b"\xff\xfe\x00\x1b[2J\nstatus")
    assert done.returncode == 1
    assert "error: command=" in done.stdout
    assert "SUCCESS  GET_STATUS" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_closed_input_is_told(device: Device) -> None:
    line = f"exec {' '.join(PROGRAM)} rpc console {' '.join(device.ports)} <&-"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert done.stderr.startswith("aip-trio: error: stdin='' is closed: give the commands by a pipe")
    assert done.stderr.count("\n") == 1


def test_where_nobody_answers_a_script_goes_on() -> None:
    with serving() as device:
        pass
    done = run(device, "status\nhelp\n", "--timeout", "0.2")
    assert done.returncode == 1
    assert "error: no service at tcp://127.0.0.1:" in done.stdout
    assert "`aip-trio rpc serve`" in done.stdout
    assert "GET_STATUS" in done.stdout


# At a terminal


def test_a_user_types_and_sees_events_above_what_is_being_typed(
    device: Device, state: dict[str, str]
) -> None:
    with console_on_terminal(*device.ports, **state) as user, peer_of(device) as peer:
        user.until("presence  lab is there")
        user.type("status\n")
        user.until("SUCCESS  GET_STATUS")
        user.until("rpc> ")
        user.type("hel")
        user.until("hel")
        peer.ask(START)
        user.until("EVENT  9001")
        user.type("p\n")
        user.until("help, quit")
        peer.ask(STOP)
        user.type("quit\n")
        assert user.end() == 0


def test_commands_and_keys_are_completed_and_lines_come_back(device: Device, state: dict[str, str]) -> None:
    with console_on_terminal(*device.ports, **state) as user:
        user.until("rpc> ")
        user.type("user {sl\t0}\n")
        user.until("SUCCESS  USER_DEFINED")
        user.until("rpc> ")
        user.type("conf\t\n")
        user.until("GET_CONFIGURATION")
        user.until("identifier: lab")
        user.until("rpc> ")
        user.type(" status\n")
        user.until("SUCCESS  GET_STATUS")
        user.until("rpc> ")
        user.type("\x1b[A\x1b[A\n")
        user.until('user {"sleep": 0}')
        user.until("SUCCESS  USER_DEFINED")
        user.until("rpc> ")
        user.type("\x04")
        assert user.end() == 0
        assert user.plain.endswith("\n")
    history = Path(state["XDG_STATE_HOME"]) / "aip-trio" / "rpc-history"
    lines = ['user {"sleep": 0}', "GET_CONFIGURATION ", 'user {"sleep": 0}']
    assert history.read_text().splitlines()[-3:] == lines
    assert history.stat().st_mode & 0o777 == 0o600


def test_the_history_outlives_the_console(device: Device, state: dict[str, str]) -> None:
    with console_on_terminal(*device.ports, **state) as user:
        user.until("rpc> ")
        user.type("status\n")
        user.until("SUCCESS  GET_STATUS")
        user.process.kill()
    with console_on_terminal(*device.ports, **state) as user:
        user.until("rpc> ")
        user.type("\x1b[A\n")
        user.until("SUCCESS  GET_STATUS")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(
    number: signal.Signals, status: int, device: Device, state: dict[str, str]
) -> None:
    with console_on_terminal(*device.ports, **state) as user:
        before = user.mode()
        user.until("rpc> ")
        user.type("half a li")
        user.until("half a li")
        assert user.mode() != before
        user.process.send_signal(number)
        assert user.end() == status
        assert user.mode() == before
        assert "Traceback" not in user.plain
        assert "Fatal" not in user.plain


def test_a_command_that_waits_ends_with_a_signal(device: Device, state: dict[str, str]) -> None:
    with console_on_terminal(*device.ports, "--wait", "--timeout", "600", **state) as user:
        user.until("rpc> ")
        user.type('user {"sleep": 500}\n')
        user.until('{"sleep": 500}')
        user.process.send_signal(signal.SIGINT)
        assert user.end() == 130


def test_a_terminal_that_can_do_nothing_gets_plain_lines(device: Device, state: dict[str, str]) -> None:
    with console_on_terminal(*device.ports, **state, TERM="dumb") as user:
        user.until("presence  lab is there")
        user.type("status\n")
        user.until("SUCCESS  GET_STATUS")
        assert "rpc> " not in user.plain
        user.type("\x04")
        assert user.end() == 0
    assert not (Path(state["XDG_STATE_HOME"]) / "aip-trio").exists()


def test_where_no_history_can_be_kept_it_says_so_and_works(device: Device) -> None:
    with console_on_terminal(*device.ports, XDG_STATE_HOME="/dev/null") as user:
        user.until("no history is kept (")
        user.until("rpc> ")
        user.type("status\n")
        user.until("SUCCESS  GET_STATUS")
