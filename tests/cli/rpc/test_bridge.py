"""A device of events and commands in a fleet: real processes over loopback, killed and not."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import attrs
import pytest

from aip_trio.cli import main
from tests.cli.programs import PATIENCE, children_of, first_line, running
from tests.cli.rpc.device import Device, serving

#: Its absence is noticed soon.
SERVICE = ("--identifier", "bench-1", "--heartbeat-interval", "0.1")


@attrs.frozen
class Fleet:
    """A server with a bridge to a service."""

    url: str
    service: Device
    bridge: "subprocess.Popen[str]"
    capsys: pytest.CaptureFixture[str]

    def ask(self, command: str, *options: str, device: str = "bench-1") -> tuple[int, dict[str, Any]]:
        """The exit status and the outcome of a command of the fleet's."""
        self.capsys.readouterr()
        status = main([command, "--url", self.url, "--device", device, "--json", *options])
        out, err = self.capsys.readouterr()
        told: dict[str, Any] = json.loads(out)
        assert "Traceback" not in err
        return status, told

    def task(self, *commands: str) -> tuple[int, dict[str, Any]]:
        """What becomes of a task."""
        return self.ask("task", *(option for each in commands for option in ("--command", each)))


@pytest.fixture
def fleet(capsys: pytest.CaptureFixture[str]) -> Generator[Fleet]:
    with running("server", "--port", "0") as server, serving(*SERVICE) as service:
        url = first_line(server).removeprefix("listening on ")
        with running("rpc", "bridge", url, *service.ports) as bridge:
            assert first_line(bridge) == f"bridging bench-1 to {url}"
            yield Fleet(url, service, bridge, capsys)


def eventually(true: Callable[[], bool]) -> None:
    """Wait for what processes do in their own time."""
    patience = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < patience, "it never came"
        time.sleep(0.05)


def test_a_fleet_has_the_service_do_things_and_hears_of_it(fleet: Fleet) -> None:
    status, told = fleet.task(
        "get_configuration",
        "start_acquisition",
        "start_acquisition",
        'send_command {"command": "USER_DEFINED", "custom_command": 3, "data": {"sleep": 0.2}}',
        'recent_events {"topic": "EVENT"}',
    )
    assert (status, told["error"]) == (1, "1 of 5 commands failed")
    configured, first, second, asked, recent = told["results"]
    assert configured["result"]["identifier"] == "bench-1"
    assert first["result"]["mode"] == "acquiring"
    assert second["error"].startswith("START_ACQUISITION ended with FAILED, error_code=1: ")
    assert asked["result"] == {"custom_command": 3, "echo": {"sleep": 0.2}}
    assert recent["result"][-1]["message"]["context"]["name"] == "acquisitionStarted"
    status, told = fleet.ask("info")
    assert status == 0
    assert told["info"]["rpc"]["presence"] == "present"
    assert told["info"]["rpc"]["published"]["EVENT"] >= 1
    assert told["info"]["rpc"]["status"]["mode"] in ("idle", "acquiring")


def test_a_service_that_is_killed_fails_its_task_leaves_and_comes_back(fleet: Fleet) -> None:
    begun = time.monotonic()
    kill = threading.Timer(0.7, fleet.service.process.kill)
    kill.start()
    status, told = fleet.task('send_command {"command": "USER_DEFINED", "data": {"sleep": 30}}')
    kill.join()
    assert status == 1
    assert time.monotonic() - begun < 15
    reasons = [told["error"], *(result["error"] for result in told["results"])]
    assert any("may or may not have run" in reason or "has gone" in reason for reason in reasons)
    fleet.service.process.wait()

    eventually(lambda: fleet.ask("info")[0] == 2)  # there is no such device
    assert fleet.bridge.poll() is None
    with serving(*SERVICE, *fleet.service.ports):
        eventually(lambda: fleet.ask("info")[0] == 0)
        status, told = fleet.task("get_status")
        assert status == 0
        assert told["results"][0]["result"]["mode"] == "idle"


def test_a_bridge_that_is_stopped_leaves_the_fleet_in_order(fleet: Fleet) -> None:
    fleet.bridge.send_signal(signal.SIGTERM)
    _, errors = fleet.bridge.communicate(timeout=PATIENCE)
    assert fleet.bridge.returncode == 143
    assert "Traceback" not in errors
    assert "crashed" not in errors
    status, told = fleet.ask("info")
    assert status == 2
    assert "is not connected" in told["error"]
    assert fleet.service.process.poll() is None
    assert children_of(fleet.service.process) == []


def test_a_bridge_waits_for_its_service_under_the_name_that_it_is_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running("server", "--port", "0") as server, serving(*SERVICE) as service:
        url = first_line(server).removeprefix("listening on ")
        service.process.kill()
        service.process.wait()
        lab = ["--device-id", "lab", *service.ports]
        with running("rpc", "bridge", url, *lab) as bridge, serving(*SERVICE, *service.ports):
            assert first_line(bridge) == f"bridging lab to {url}"
            assert main(["info", "--url", url, "--device", "lab"]) == 0
            assert "identifier: bench-1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ws://127.0.0.1:1/ws", "--device-id", "a/b"], "device-id='a/b' cannot be a device's name"),
        (["http://127.0.0.1:1/ws"], "begin it with one of ws://"),
        (["ws://127.0.0.1:1/ws", "--token-file", "/nowhere"], "token-file"),
    ],
)
def test_what_cannot_work_is_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rpc", "bridge", *arguments]) == 2
    assert told in capsys.readouterr().err
