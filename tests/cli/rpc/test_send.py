"""One command for a service that is there, is not, or is lost."""

import io
import json
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import zmq

from aip_trio.cli import main
from tests.cli.programs import PATIENCE, running, story_until
from tests.cli.rpc.device import Device, serving


@pytest.fixture(scope="module")
def device() -> Generator[Device]:
    with serving("--identifier", "lab") as running_device:
        yield running_device


Told = tuple[int, dict[str, Any]]


def send(capsys: pytest.CaptureFixture[str], device: Device, *arguments: str) -> Told:
    """Send a command, and return exit status and answer."""
    capsys.readouterr()
    status = main(["rpc", "send", *arguments, *device.ports, "--json"])
    out, err = capsys.readouterr()
    assert (err, out.count("\n")) == ("", 1)
    return status, json.loads(out)


def test_the_answer_has_names_and_data(device: Device, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = send(capsys, device, "GET_CONFIGURATION")
    assert (status, told["command"], told["result"]) == (0, "GET_CONFIGURATION", "SUCCESS")
    assert (told["error_kind"], told["error_code"], told["error_message"]) == ("NONE", 0, None)
    assert told["data"]["identifier"] == "lab"
    assert told["data"]["machine"]["cpu_count"] > 0
    assert 0 < told["seconds"] < PATIENCE


@pytest.mark.parametrize("command", ["status", "400", "get_status", "Get-S"])
def test_a_command_is_a_name_or_a_number(
    command: str, device: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send(capsys, device, command)[1]["command"] == "GET_STATUS"


def test_people_get_lines(device: Device, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rpc", "send", "status", *device.ports]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    head, *lines = out.splitlines()
    assert head.startswith("SUCCESS  GET_STATUS  (")
    assert "    mode: idle" in lines


def test_a_refusal_is_status_1_and_says_what_is_possible(
    device: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = send(capsys, device, "stop")
    assert (status, told["result"], told["error_kind"], told["error_code"]) == (
        1,
        "FAILED",
        "COMMAND_ERROR",
        1,
    )
    assert told["error_message"].endswith("may be told to START_ACQUISITION, EMERGENCY_STOP")
    assert main(["rpc", "send", "stop", *device.ports]) == 1
    assert capsys.readouterr().out.startswith("FAILED  STOP_ACQUISITION  COMMAND_ERROR 1: cannot STOP")


def test_what_takes_long_is_pending_unless_it_is_waited_for(
    device: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = ("user", "--custom", "5", "--data", '{"sleep": 1}')
    status, told = send(capsys, device, *slow)
    assert (status, told["result"], told["data"]) == (0, "PENDING_WITH_NOTIFICATION", None)
    status, told = send(capsys, device, *slow, "--wait")
    assert (status, told["result"]) == (0, "SUCCESS")
    assert told["data"] == {"custom_command": 5, "echo": {"sleep": 1}}
    failing = '{"sleep": 1, "fail": "no paper"}'
    status, told = send(capsys, device, "user", "--data", failing, "--wait")
    assert (status, told["error_message"]) == (1, "no paper")


def test_data_come_from_a_file_or_stdin(
    device: Device, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.json").write_text('{"some_key": ["some_value"]}')
    _, told = send(capsys, device, "user", "--data", f"@{tmp_path / 'data.json'}")
    assert told["data"]["echo"] == {"some_key": ["some_value"]}
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1, null]"))
    assert send(capsys, device, "user", "--data", "-")[1]["data"]["echo"] == [1, None]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dance"], "command='dance' is none: write a number, or one of NONE, START_ACQUISITION"),
        (["emergency"], "command='emergency' may be each of EMERGENCY_STOP, EMERGENCY_RESUME"),
        (["status", "--data", "{"], "data='{' is no JSON"),
        (["status", "--data", "@/no/where"], "data='@/no/where' cannot be read"),
    ],
)
def test_what_cannot_be_sent_is_told_on_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rpc", "send", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"aip-trio: error: {told}")


def test_where_nobody_listens_it_says_what_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rpc", "send", "status", "--command-port", "1", "--timeout", "0.3", "--json"]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert err.startswith("aip-trio: error: no service at tcp://127.0.0.1:1 within 0.3 s")
    assert "`aip-trio rpc serve`" in err
    assert json.loads(out)["exit_status"] == 2


def test_ports_that_are_mixed_up_are_told_by_their_options(
    device: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    _, events, _, commands = device.ports
    asked = ("rpc", "send", "user", "--timeout", "0.5")
    assert main([*asked, "--command-port", events]) == 2
    _, err = capsys.readouterr()
    assert "is no socket of that kind, as at a wrong port" in err
    assert err.endswith("give --host and --command-port of one that runs\n")
    assert main([*asked, "--wait", "--command-port", commands, "--subscriber-port", "1"]) == 2
    _, err = capsys.readouterr()
    assert "its events cannot be listened to: nobody listens there" in err
    assert err.endswith("give --host and --subscriber-port of one that runs\n")


def test_what_nobody_answers_is_status_3(capsys: pytest.CaptureFixture[str]) -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as silent:
        port = str(silent.bind_to_random_port("tcp://127.0.0.1"))
        assert main(["rpc", "send", "status", "--command-port", port, "--timeout", "0.3"]) == 3
        silent.close(linger=0)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "it may or may not have run" in err


SLOW = ("user", "--data", '{"sleep": 600}', "--wait", "--timeout", "600")


def test_a_service_that_is_killed_with_the_command_is_status_3_at_once() -> None:
    with serving() as victim, running("rpc", "send", *SLOW, *victim.ports) as asking:
        list(story_until(victim.process, "USER_DEFINED -1: sleeping for 600 s"))
        victim.process.kill()
        out, err = asking.communicate(timeout=PATIENCE)
    assert (asking.returncode, out, err.count("\n")) == (3, "", 1)
    assert "it may or may not have run" in err


def test_a_signal_ends_it() -> None:
    with serving() as device, running("rpc", "send", *SLOW, *device.ports) as asking:
        list(story_until(device.process, "USER_DEFINED -1: sleeping for 600 s"))
        asking.send_signal(signal.SIGINT)
        assert asking.communicate(timeout=PATIENCE) == ("", "")
    assert asking.returncode == 130


def test_it_says_what_it_waits_for_and_finds_a_service_that_comes_later() -> None:
    with serving() as device:
        ports = device.ports
    with running("rpc", "send", "status", *ports, "--timeout", str(PATIENCE)) as asking:
        list(story_until(asking, "yet: waiting for one"))
        with serving(*ports):
            out, _ = asking.communicate(timeout=PATIENCE)
    assert asking.returncode == 0
    assert out.startswith("SUCCESS  GET_STATUS")
