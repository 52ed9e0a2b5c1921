"""Both ends as programs that know nothing of ours, with our server between them."""

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.programs import PATIENCE
from tests.interop.plain import listed
from tests.interop.programs import Program, Site, first_line, name, plain, running

PEERS = ("plain", "plain_device", "plain_orchestrator", "plain_server")


@pytest.mark.parametrize("module", PEERS)
def test_a_plain_peer_has_nothing_of_ours(module: str) -> None:
    code = f"import sys, tests.interop.{module}; print('aip_trio' in sys.modules or 'trio' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def orchestrate(process: Program, *tasks: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Give a plain orchestrator these tasks: what it prints, and its exit status."""
    out, _ = process.communicate("".join(json.dumps(task) + "\n" for task in tasks), timeout=30)
    return [json.loads(line) for line in out.splitlines()], process.returncode


def test_a_plain_orchestrator_has_a_plain_device_do_tasks(site: Site) -> None:
    device_id = name()
    with running(*plain("plain_device", site.url, device_id)) as device:
        assert json.loads(first_line(device))["type"] == "heartbeat"
        good = "echo", {"n": 1}
        with running(*plain("plain_orchestrator", site.url, name("o"), device_id)) as asking:
            (info, one, two), status = orchestrate(
                asking,
                {"request": "one", "metadata": listed(good, ("nap", {"seconds": 0.05}), good)},
                {"request": "two", "metadata": listed(good, ("no_tool", {}))},
            )
        assert info["result"]["os"] == "plainOS"
        assert (one["status"], len(one["result"])) == ("completed", 3)
        assert (two["status"], two["error"]) == ("failed", "1 of 2 commands failed")
        assert status == 1
        device.send_signal(signal.SIGINT)
        device.wait(timeout=PATIENCE)


def test_a_plain_orchestrator_is_told_that_its_device_is_not_there(site: Site) -> None:
    with running(*plain("plain_orchestrator", site.url, name("o"), "nobody")) as asking:
        (answer,), status = orchestrate(asking)
    assert (answer["type"], answer["error"], status) == ("error", "device 'nobody' is not connected", 1)
