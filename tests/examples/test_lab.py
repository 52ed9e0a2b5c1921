"""examples/lab, as docs/how-to/fleet.md runs it: the program with a tool and a task function of one's own."""

import json
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAB = ROOT / "examples" / "lab"
PAGE = (ROOT / "docs" / "how-to" / "fleet.md").read_text(encoding="utf-8")


@contextmanager
def running(*arguments: str) -> Generator[subprocess.Popen[str]]:
    """``aip-trio`` in the lab's folder, whose module it loads; it ends in order."""
    with subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "aip_trio", *arguments],
        cwd=LAB,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    with running("server", "--port", "0", "--task", "bench:measure") as server:
        url = first_line(server).removeprefix("listening on ")
        with running("device", "--url", url, "--id", "bench-1", "--tools", "bench:temperature") as device:
            assert first_line(device) == f"bench-1 is registered at {url}"
            yield url


def test_the_server_s_own_task_uses_the_device_s_own_tool(url: str) -> None:
    arguments = ("--url", url, "--device", "bench-1", "--request", "Warm?", "--metadata", '{"times": 3}')
    with running("task", *arguments, "--json") as asking:
        told = json.loads(asking.communicate(timeout=30)[0])
    assert told["status"] == "completed"
    assert told["result"]["measured"] == 3
    assert 20 <= told["result"]["mean"] <= 21
    assert told["log"][0].startswith("Warm?: the last was 2")


def test_a_task_function_that_fails_is_told_of(url: str) -> None:
    with running("task", "--url", url, "--device", "bench-1", "--request", "Warm?", "--json") as asking:
        told = json.loads(asking.communicate(timeout=30)[0])
    assert (told["status"], told["error"]) == ("failed", "KeyError: 'times'")
    assert asking.returncode == 1


def test_the_tools_of_one_s_own_are_listed() -> None:
    with running("tools", "--tools", "bench:temperature", "--json") as listing:
        tools = json.loads(listing.communicate(timeout=30)[0])["tools"]
    assert tools[-1]["name"] == "temperature"
    assert tools[-1]["parameters"]["properties"]["unit"]["default"] == "°C"


@pytest.mark.parametrize("option", ["--task bench:measure", "--tools bench:temperature", "--metadata"])
def test_the_page_shows_it(option: str) -> None:
    assert option in PAGE
