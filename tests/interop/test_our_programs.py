"""The other way round: our device and our orchestrator, with a server that knows only the wire."""

import json
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aip_trio.cli import main
from aip_trio.transport import ADAPTERS
from tests.cli.programs import PATIENCE
from tests.interop.plain import Frame, Plain, listed, registered
from tests.interop.plain_orchestrator import ask
from tests.interop.programs import Program, aip_trio, first_line, name, plain, running

CAPTURED = json.loads((Path(__file__).parents[1] / "wire" / "aip.json").read_text())


@contextmanager
def device(url: str, errors: Path, *options: str) -> Generator[tuple[Program, str]]:
    """``aip-trio device``, registered; it ends in order, and has nothing to say of a bug."""
    device_id = name()
    with running(*aip_trio("device", "--url", url, "--id", device_id, *options), errors=errors) as process:
        assert first_line(process, errors) == f"{device_id} is registered at {url}"
        yield process, device_id
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 143
    assert "Traceback" not in errors.read_text()


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    with running(*plain("plain_server")) as server:
        yield first_line(server)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_our_device_and_our_orchestrator_work_through_it(
    adapter: str, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hello.txt").write_text("hello")
    with device(url, tmp_path / "errors", "--root", str(tmp_path), "--adapter", adapter) as (_, device_id):
        there = ["--url", url, "--device", device_id, "--adapter", adapter, "--json"]
        assert (
            main(["task", *there, "--command", 'read_file {"path": "hello.txt"}', "--command", "live_load"])
            == 0
        )
        told = json.loads(capsys.readouterr().out)
        assert told["status"] == "completed"
        assert [each["tool_name"] for each in told["results"]] == ["read_file", "live_load"]
        assert told["results"][0]["result"]["content"] == "hello"
        assert main(["task", *there, "--command", "no_tool"]) == 1
        told = json.loads(capsys.readouterr().out)
        assert (told["status"], told["error"]) == ("failed", "a command failed")
        assert main(["info", *there]) == 0
        told = json.loads(capsys.readouterr().out)
        assert "read_file" in told["info"]["supported_features"]


def test_our_device_works_for_a_plain_orchestrator(url: str, tmp_path: Path) -> None:
    with device(url, tmp_path / "errors") as (_, device_id):
        with registered(url, name("o"), "constellation", target_id=device_id) as asker:
            end = ask(asker, device_id, {"request": "r", "metadata": listed(("system_info", {}))})
            (result,) = end["result"]
            assert (end["status"], result["status"], result["call_id"]) == ("completed", "success", "c0")


def test_a_refusal_of_the_plain_server_s_is_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["task", "--url", url, "--device", "nobody", "--command", "live_load"]) == 2
    assert capsys.readouterr().err == "aip-trio: error: device nobody is not connected\n"


def test_our_device_survives_every_captured_frame(tmp_path: Path) -> None:
    """Those of servers, which it acts on; those of clients; and those that are none, each told of."""
    captured = [*CAPTURED["valid"], *CAPTURED["invalid"]]
    frames = [each["json"] for each in captured if "\n" not in each["json"]]
    (tmp_path / "frames").write_text("\n".join(frames))
    with running(*plain("plain_server", "0", str(tmp_path / "frames"))) as server:
        url = first_line(server)
        with device(url, tmp_path / "errors") as (_, device_id):
            with registered(url, name("o"), "constellation", target_id=device_id) as asker:
                end = ask(asker, device_id, {"request": "r", "metadata": listed(("live_load", {}))})
                assert end["status"] == "completed"
                asker.say("device_info_request", request_id="errors")
                told = asker.expect("device_info_response")["result"]
    assert len(told) >= len(CAPTURED["invalid"])


def test_our_device_comes_back_to_a_server_that_was_away(tmp_path: Path) -> None:
    with running(*plain("plain_server")) as server:
        url = first_line(server)
        with device(url, tmp_path / "errors") as (_, device_id):
            server.kill()
            server.wait()
            port = url.rpartition(":")[2].removesuffix("/ws")
            with running(*plain("plain_server", port)) as again:
                assert first_line(again) == url
                assert orchestrate_when_it_is_back(url, device_id)["status"] == "completed"


def orchestrate_when_it_is_back(url: str, device_id: str) -> Frame:
    """Register for a device until it is there, and give it a task."""
    end = time.monotonic() + 15
    while True:
        with Plain.open(url, name("o"), "constellation") as asker:
            if asker.register(target_id=device_id)["type"] == "heartbeat":
                return ask(asker, device_id, {"request": "r", "metadata": listed(("live_load", {}))})
        assert time.monotonic() < end, "the device has not come back"
        time.sleep(0.05)
