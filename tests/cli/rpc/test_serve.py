"""The device as a process, spoken to with pyzmq alone."""

import json
import os
import signal
import socket
from collections.abc import Generator
from importlib.metadata import version

import pytest

from aip_trio.cli import main
from tests.cli.programs import PATIENCE, children_of, first_line, running
from tests.cli.rpc.device import Device, Peer, peer_of, serving

HEARTBEAT, EMERGENCY, EVENT, PROPERTY_CHANGE, COMMAND_RESULT = 1001, 2001, 4001, 5001, 6001
START, STOP, EMERGENCY_STOP, EMERGENCY_RESUME, CONFIGURATION, STATUS = 100, 110, 200, 210, 300, 400
USER_DEFINED = 99999
SUCCESS, PENDING_WITH_NOTIFICATION, FAILED, EXCEPTION = 100, 201, 400, 500


@pytest.fixture(scope="module")
def device() -> Generator[Device]:
    """A device that ends in order, and leaves nothing behind."""
    options = ("--identifier", "lab", "--heartbeat-interval", "0.2", "--reading-interval", "0.05")
    with serving(*options) as running_device:
        yield running_device
        process = running_device.process
        assert children_of(process) == []
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (143, "")
        assert "Traceback" not in errors
        assert "START_ACQUISITION: the device was idle, and is acquiring" in errors


@pytest.fixture
def peer(device: Device) -> Generator[Peer]:
    with peer_of(device) as found:
        yield found
        if found.ask(STATUS)["data"]["mode"] == "emergency":
            found.ask(EMERGENCY_RESUME)
        found.ask(STOP)


def test_its_heartbeats_name_it(peer: Peer) -> None:
    *_, (_, heartbeat) = peer.until(HEARTBEAT)
    assert (heartbeat["identifier"], heartbeat["version"]) == ("lab", version("aip-trio"))


def test_it_tells_of_the_machine_that_it_runs_on(peer: Peer, device: Device) -> None:
    reply = peer.ask(CONFIGURATION)
    assert (reply["result"], reply["nonce"], reply["command"]) == (SUCCESS, 7, CONFIGURATION)
    told = reply["data"]
    assert (told["identifier"], told["process"]) == ("lab", device.process.pid)
    assert told["machine"]["cpuCount"] == os.cpu_count()
    status = peer.ask(STATUS)["data"]
    assert status["mode"] == "idle"
    assert status["may"] == ["START_ACQUISITION", "EMERGENCY_STOP"]
    assert status["uptime"] > 0
    assert status["machine"]["memoryPercent"] > 0


def test_it_acquires_readings_until_it_is_stopped(peer: Peer) -> None:
    assert peer.ask(START)["result"] == SUCCESS
    started, *_, change = peer.until(PROPERTY_CHANGE)
    assert (started[0], started[1]["kind"], started[1]["context"]["name"]) == (
        EVENT,
        9001,
        "acquisitionStarted",
    )
    assert change[1].keys() >= {"target", "name", "newValue", "oldValue"}
    assert peer.ask(START) == {
        "nonce": 7,
        "command": START,
        "result": FAILED,
        "data": None,
        "errorKind": 2,
        "errorCode": 1,
        "errorMessage": "cannot START_ACQUISITION now: the device is acquiring, and may be told to"
        " STOP_ACQUISITION, EMERGENCY_STOP",
    }
    assert peer.ask(STOP)["result"] == SUCCESS
    *_, (_, stopped) = peer.until(EVENT)
    assert (stopped["kind"], stopped["context"]["reason"]) == (9002, "command")
    assert stopped["context"]["readings"] > 0
    assert peer.ask(STATUS)["data"]["mode"] == "idle"


def test_an_emergency_ends_the_acquisition_and_comes_first(peer: Peer) -> None:
    peer.ask(START)
    peer.until(EVENT)
    assert peer.ask(EMERGENCY_STOP)["result"] == SUCCESS
    *_, (topic, emergency) = peer.until(EMERGENCY)
    assert (topic, emergency["kind"], emergency["context"]["reasonCode"]) == (EMERGENCY, 101, 401)
    first, second = peer.until(EVENT)[-1][1], peer.until(EVENT)[-1][1]
    assert first == emergency
    assert (second["kind"], second["context"]["reason"]) == (9002, "emergency")
    assert peer.ask(START)["errorMessage"].endswith("EMERGENCY_STOP, EMERGENCY_RESUME")
    assert peer.ask(EMERGENCY_RESUME)["result"] == SUCCESS
    *_, (_, resumed) = peer.until(EMERGENCY)
    assert resumed["kind"] == 102
    assert peer.ask(STATUS)["data"]["mode"] == "idle"


def test_a_command_that_takes_long_is_pending_and_its_result_follows(peer: Peer) -> None:
    reply = peer.ask(USER_DEFINED, customCommand=5, data={"sleep": 1, "some_key": 1}, nonce=77)
    assert (reply["result"], reply["nonce"]) == (PENDING_WITH_NOTIFICATION, 77)
    assert peer.ask(STATUS)["result"] == SUCCESS
    *_, (_, result) = peer.until(COMMAND_RESULT)
    assert (result["result"], result["command"], result["nonce"]) == (SUCCESS, USER_DEFINED, 77)
    assert result["data"] == {"customCommand": 5, "echo": {"sleep": 1, "someKey": 1}}


def test_a_command_may_fail_or_raise(peer: Peer) -> None:
    failed = peer.ask(USER_DEFINED, data={"fail": "no paper"})
    assert (failed["result"], failed["errorCode"], failed["errorMessage"]) == (FAILED, 3, "no paper")
    raised = peer.ask(USER_DEFINED, data={"raise": "no ink"})
    assert (raised["result"], raised["errorMessage"]) == (EXCEPTION, "no ink")
    unknown = peer.ask(123456)
    assert (unknown["result"], unknown["command"]) == (SUCCESS, USER_DEFINED)


def test_json_says_where_it_listens_and_a_signal_ends_it() -> None:
    with running("rpc", "serve", "--subscriber-port", "0", "--command-port", "0", "--json") as process:
        told = json.loads(first_line(process))
        assert told.keys() == {"events", "commands"}
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (130, "")
        assert errors == ""


def test_its_last_event_says_that_it_ends() -> None:
    with serving("--heartbeat-interval", "0.1") as device, peer_of(device) as peer:
        device.process.send_signal(signal.SIGTERM)
        *_, (_, event) = peer.until(EVENT)
        if event["kind"] == 201:  # it had just begun
            *_, (_, event) = peer.until(EVENT)
        assert (event["kind"], event["context"]) == (202, {"reason": "stopped"})
        assert device.process.wait(PATIENCE) == 143


def test_it_speaks_the_old_dialect_when_told_to() -> None:
    with serving("--dialect", "0.9", "--heartbeat-interval", "0.1") as device, peer_of(device) as peer:
        *_, (_, heartbeat) = peer.until(HEARTBEAT)
        assert isinstance(heartbeat, str)
        assert json.loads(heartbeat)["identifier"] == "autotrainer-device"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "*", "example.org"])
def test_other_machines_are_let_in_only_on_demand(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rpc", "serve", "--host", host]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"aip-trio: error: host={host!r} lets other machines in")
    assert "--insecure" in err


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["rpc", "serve", "--subscriber-port", "0", "--command-port", str(port)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"127.0.0.1:{port}" in err
    assert "in use" in err


def test_one_port_for_both_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rpc", "serve", "--subscriber-port", "7000", "--command-port", "7000"]) == 2
    _, err = capsys.readouterr()
    assert err == "aip-trio: error: command-port='7000' is the port for events, too: give another one\n"
