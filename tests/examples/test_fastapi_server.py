"""The FastAPI example as a process, with a device and an orchestrator of the program's, over real sockets."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

MAIN = Path(__file__).parents[2] / "examples" / "fastapi_server" / "main.py"
PYTHON = [sys.executable, "-W", "error::ResourceWarning"]
PROGRAM = [sys.executable, "-W", "error", "-m", "aip_trio"]


@contextmanager
def running(*command: str, cwd: Path) -> Generator[subprocess.Popen[str]]:
    """A process, which is killed if the block leaves it running."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def serving(cwd: Path) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The example, and its URL."""
    with running(*PYTHON, str(MAIN), "--port", "0", cwd=cwd) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), process.communicate(timeout=10)[1]
        yield process, line.split()[-1]


def devices(url: str) -> dict[str, list[str]]:
    """What the application's own page says."""
    with urllib.request.urlopen(f"{url}/devices", timeout=5) as answer:
        found: dict[str, list[str]] = json.load(answer)
        return found


def until(url: str, wanted: list[str]) -> None:
    deadline = time.monotonic() + 10
    while sorted(devices(url)) != wanted:
        assert time.monotonic() < deadline, devices(url)
        time.sleep(0.02)


def device(url: str, name: str, cwd: Path) -> Any:
    where = url.replace("http", "ws") + "/ws"
    return running(*PROGRAM, "device", "--url", where, "--id", name, "--allow", "sleep", cwd=cwd)


def task(url: str, name: str, *commands: str) -> list[str]:
    where = url.replace("http", "ws") + "/ws"
    options = [option for command in commands for option in ("--command", command)]
    return [*PROGRAM, "--json", "task", "--url", where, "--device", name, *options]


SLEEP = 'run_program {"program": "sleep", "arguments": ["60"]}'


def test_a_fleet_behind_fastapi(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, url), ExitStack() as stack:
        first = stack.enter_context(device(url, "bench-1", tmp_path))
        stack.enter_context(device(url, "bench-2", tmp_path))
        until(url, ["bench-1", "bench-2"])

        done = subprocess.run(
            task(url, "bench-1", "system_info"), cwd=tmp_path, capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["status"] == "completed"

        with running(*task(url, "bench-1", SLEEP), cwd=tmp_path) as lost:
            while not devices(url)["bench-1"]:
                time.sleep(0.02)
            first.kill()  # whoever comes back under its name knows nothing of its task
            stack.enter_context(device(url, "bench-1", tmp_path))
            said, _ = lost.communicate(timeout=20)
            assert lost.returncode == 1
            assert "device_disconnected" in said
        until(url, ["bench-1", "bench-2"])

        with running(*task(url, "bench-2", SLEEP), cwd=tmp_path) as stopped:
            while not devices(url)["bench-2"]:
                time.sleep(0.02)
            server.send_signal(signal.SIGTERM)
            said, _ = stopped.communicate(timeout=20)
            assert stopped.returncode == 1
            assert "server_stopping" in said
        out, errors = server.communicate(timeout=20)
        assert server.returncode == 0
        assert out == "SIGTERM: ending in order\n"
        assert "Traceback" not in errors


@pytest.mark.parametrize("word", ["handle_websocket", "serve_app", "drain=endpoint.stop"])
def test_the_guide_shows_what_the_example_does(word: str) -> None:
    guide = MAIN.parents[2] / "docs" / "how-to" / "fastapi.md"
    assert word in MAIN.read_text(encoding="utf-8")
    assert "examples/fastapi_server/main.py" in guide.read_text(encoding="utf-8")
