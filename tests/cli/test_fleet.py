"""A server, a device and what is asked of it: real processes over loopback, killed and not."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import psutil
import pytest
import trustme

from aip_trio.cli import main
from tests.cli.programs import PATIENCE, PROGRAM, children_of, first_line, gone, running, story_until

TOKEN = "a-token-of-the-tests"


@attrs.frozen
class Place:
    """Where a fleet works: a folder with a file in it, and one with a secret beside it."""

    folder: Path

    @property
    def token_file(self) -> str:
        return str(self.folder / "token")

    @property
    def root(self) -> str:
        return str(self.folder / "root")


def make_place(folder: Path) -> Place:
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "token").chmod(0o600)
    (folder / "root").mkdir()
    (folder / "root" / "hello.txt").write_text("hello")
    (folder / "root" / "way-out").symlink_to(folder)
    return Place(folder)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


@contextmanager
def server(place: Place, *options: str, port: int = 0) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """A server, and its URL."""
    with running("server", "--port", str(port), "--token-file", place.token_file, *options) as process:
        line = first_line(process)
        assert line.startswith("listening on ws://127.0.0.1:")
        yield process, line.removeprefix("listening on ")


@contextmanager
def device(place: Place, url: str, name: str = "lab") -> Generator["subprocess.Popen[str]"]:
    """A device that is registered."""
    options = ["--root", place.root, "--allow", "sleep", "--token-file", place.token_file]
    with running("device", "--url", url, "--id", name, *options) as process:
        assert first_line(process) == f"{name} is registered at {url}"
        yield process


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Generator[list[str]]:
    """Options that lead to a device of a running fleet. It ends in order, and leaves nothing behind."""
    place = make_place(tmp_path_factory.mktemp("fleet"))
    with server(place) as (serving, url), device(place, url) as working:
        yield ["--url", url, "--device", "lab", "--token-file", place.token_file]
        for process, status in ((working, 143), (serving, 130)):
            assert children_of(process) == []
            process.send_signal(signal.SIGTERM if status == 143 else signal.SIGINT)
            _, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == status
            assert "Traceback" not in errors
            assert TOKEN not in errors


Told = tuple[int, dict[str, Any]]


def ask(capsys: pytest.CaptureFixture[str], fleet: list[str], *commands: str) -> Told:
    """Give the device a task, and return exit status and outcome."""
    capsys.readouterr()
    options = [option for command in commands for option in ("--command", command)]
    status = main(["task", *fleet, "--json", *options])
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    return status, json.loads(out)


def test_a_task_is_completed(fleet: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, told = ask(capsys, fleet, 'hash_file {"path": "hello.txt", "algorithm": "md5"}', "live_load")
    assert (status, told["status"], told["error"]) == (0, "completed", None)
    first, second = told["results"]
    assert (first["tool_name"], first["status"]) == ("hash_file", "success")
    assert first["result"]["digest"] == "5d41402abc4b2a76b9719d911017c592"
    assert second["result"]["processes"] > 0
    assert told["device"] == "lab"
    assert told["task_id"]
    assert told["log"] == ["1 of 2: hash_file: success", "2 of 2: live_load: success"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("no_tool", "no tool 'no_tool': there are system_info,"),
        ('read_file {"path": 3}', "tool 'read_file' cannot take these parameters: Expected `str`"),
        ("read_file", "tool 'read_file' cannot take these parameters: is required @ $.path"),
        ('read_file {"path": "../token"}', "path='../token' has '..' in it"),
        ('read_file {"path": "/etc/passwd"}', "path='/etc/passwd' is absolute"),
        ('read_file {"path": "way-out/token"}', "path='way-out/token' leads through a symbolic link"),
        ('run_program {"program": "rm"}', "program='rm' is not allowed on this device: it allows sleep"),
    ],
)
def test_a_bad_command_fails_by_itself(
    command: str, told: str, fleet: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, outcome = ask(capsys, fleet, command, 'read_file {"path": "hello.txt"}')
    assert (status, outcome["status"]) == (1, "failed")
    assert outcome["error"] == "1 of 2 commands failed"
    bad, good = outcome["results"]
    assert bad["status"] == "failure"
    assert bad["error"].startswith(told)
    assert good["result"]["content"] == "hello"


def test_people_get_a_list_of_results(fleet: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["task", *fleet, "--command", 'read_file {"path": "hello.txt"}']) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[:2] == ["1  read_file  success", "    content: hello"]
    assert lines[-1].startswith("completed on lab in ")


def test_a_device_tells_of_itself(fleet: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", *fleet, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["device"] == "lab"
    assert "list_files" in told["info"]["supported_features"]
    assert main(["info", *fleet]) == 0
    assert "platform: linux" in capsys.readouterr().out


def test_a_device_that_is_not_there_is_status_2(fleet: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    told = "device 'nobody' is not connected"
    assert main(["task", *fleet, "--device", "nobody", "--command", "live_load"]) == 2
    assert capsys.readouterr() == ("", f"aip-trio: error: {told}\n")
    assert main(["task", *fleet, "--device", "nobody", "--command", "live_load", "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": told, "exit_status": 2}
    assert err == f"aip-trio: error: {told}\n"


@pytest.mark.parametrize("wrong", [True, False])
def test_without_the_right_token_it_is_refused_with_401(
    wrong: bool, fleet: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text("another")
    options = [*fleet[:4], *(["--token-file", str(tmp_path / "token")] if wrong else [])]
    assert main(["task", *options, "--command", "live_load"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "refused the connection with status 401" in err
    assert "--token-file" in err
    assert err.count("\n") == 1  # who asks again says so: it has asked once


def test_a_second_device_of_the_same_name_does_not_get_in(fleet: list[str], place: Place) -> None:
    url, token = fleet[1], fleet[5]
    with running(
        "device", "--url", url, "--id", "lab", "--token-file", token, "--log-format", "json"
    ) as second:
        assert second.stderr is not None
        told = json.loads(second.stderr.readline())["message"]
        assert "the server refused to register 'lab'" in told
        assert "is connected already" in told
        second.send_signal(signal.SIGINT)
        assert second.wait(timeout=PATIENCE) == 130


def test_a_task_that_takes_too_long_is_cancelled(
    fleet: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = 'run_program {"program": "sleep", "arguments": ["61.7"]}'
    assert main(["task", *fleet, "--command", command, "--timeout", "0.5", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["error"]) == ("failed", "no end within 0.5 s: it is cancelled")
    assert gone(asleep("61.7"), PATIENCE)


def asleep(seconds: str) -> list[psutil.Process]:
    """The processes of a program that sleeps so long."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter(["cmdline"]):
        line: list[str] = process.info["cmdline"] or []
        if len(line) == 2 and os.path.basename(line[0]) == "sleep" and line[1] == seconds:
            found.append(process)
    return found


def long_task(fleet: list[str], seconds: str, victim: "subprocess.Popen[str]") -> Told:
    """Give a task that sleeps, kill a process when it does, and return what came of it."""
    command = f'run_program {{"program": "sleep", "arguments": ["{seconds}"]}}'
    with running("task", *fleet, "--command", command, "--json") as asking:
        while not asleep(seconds):
            assert asking.poll() is None
            time.sleep(0.02)
        victim.kill()
        out, err = asking.communicate(timeout=45)
    gone(asleep(seconds), 0)
    assert err == ""
    return asking.returncode, json.loads(out)


def test_a_killed_device_fails_its_task_and_comes_back(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(place, "--resume-window", "0.5") as (_, url):
        fleet = ["--url", url, "--device", "lab", "--token-file", place.token_file]
        with device(place, url) as victim:
            status, told = long_task(fleet, "62.7", victim)
        assert (status, told["status"]) == (1, "failed")
        assert told["error"] == "device_disconnected: the device was lost while it worked"
        with device(place, url):
            assert ask(capsys, fleet, "live_load")[0] == 0


def test_a_killed_server_fails_the_task_and_is_found_again_when_it_is_back(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(place) as (victim, url):
        fleet = ["--url", url, "--device", "lab", "--token-file", place.token_file]
        with device(place, url) as waiting:
            status, told = long_task(fleet, "63.7", victim)
            assert (status, told["status"]) == (1, "failed")
            assert told["error"] == "the connection to the server was lost while the task ran"
            with server(place, port=port_of(url)) as (_, same):
                assert same == url
                story = [*story_until(waiting, "lab is connected again")]
                assert ask(capsys, fleet, "live_load")[0] == 0
                waiting.send_signal(signal.SIGTERM)
                _, errors = waiting.communicate(timeout=PATIENCE)
    assert waiting.returncode == 143
    assert any("lab has lost its connection, and connects again" in line for line in story)
    assert "Traceback" not in "".join((*story, errors))


def test_a_signal_ends_a_task_that_runs(fleet: list[str]) -> None:
    command = 'run_program {"program": "sleep", "arguments": ["64.7"]}'
    with running("task", *fleet, "--command", command) as asking:
        while not asleep("64.7"):
            assert asking.poll() is None
            time.sleep(0.02)
        asking.send_signal(signal.SIGINT)
        assert asking.communicate(timeout=PATIENCE) == ("", "")
    assert asking.returncode == 130
    assert gone(asleep("64.7"), PATIENCE)


def test_a_server_that_is_stopped_says_so_to_those_who_wait(place: Place) -> None:
    with server(place) as (serving, url), device(place, url) as working:
        fleet = ["--url", url, "--device", "lab", "--token-file", place.token_file]
        command = 'run_program {"program": "sleep", "arguments": ["65.7"]}'
        with running("task", *fleet, "--command", command, "--json") as asking:
            while not asleep("65.7"):
                time.sleep(0.02)
            serving.send_signal(signal.SIGTERM)
            out, _ = asking.communicate(timeout=PATIENCE)
        assert json.loads(out)["error"] == "server_stopping: the server was stopped"
        assert asking.returncode == 1
        assert serving.wait(timeout=PATIENCE) == 143
        assert gone(asleep("65.7"), PATIENCE)
        left = children_of(working)
        working.send_signal(signal.SIGINT)
        assert working.wait(timeout=PATIENCE) == 130
        assert left == []


def test_a_device_waits_for_its_server(place: Place) -> None:
    with server(place) as (_, url):
        pass
    options = ["--root", place.root, "--token-file", place.token_file]
    with running("device", "--url", url, "--id", "lab", *options) as waiting:
        assert waiting.stderr is not None
        assert "lab cannot connect, and tries again: " in waiting.stderr.readline()
        with server(place, port=port_of(url)):
            assert first_line(waiting) == f"lab is registered at {url}"


def test_a_fleet_over_zeromq_and_over_websocket_at_once(place: Place) -> None:
    with running(
        "server", "--port", "0", "--url", "tcp://127.0.0.1:0", "--token-file", place.token_file
    ) as serving:
        websocket, zeromq = (first_line(serving).removeprefix("listening on ") for _ in range(2))
        assert websocket.startswith("ws://127.0.0.1:")
        assert zeromq.startswith("tcp://127.0.0.1:")
        with device(place, zeromq):
            for url in (websocket, zeromq):
                options = ["--url", url, "--device", "lab", "--token-file", place.token_file]
                command = ["task", *options, "--command", 'read_file {"path": "hello.txt"}']
                with running(*command) as asking:
                    out, err = asking.communicate(timeout=PATIENCE)
                assert asking.returncode == 0, err
                assert "hello" in out


def test_a_pipe_ties_a_server_to_who_started_it() -> None:
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*PROGRAM, "server", "--port", "0", "--json", "--end-with-stdin"],
        stdin=reader,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(reader)
        try:
            assert json.loads(first_line(process))["url"].startswith("ws://127.0.0.1:")
            os.write(writer, b"what is written does not matter\n")
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.3)
        finally:
            os.close(writer)
        assert process.wait(timeout=PATIENCE) == 0


def test_a_pipe_that_is_none_is_refused() -> None:
    with running("server", "--port", "0", "--end-with-stdin") as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "needs a pipe or a terminal as standard input" in errors


def test_with_a_certificate_the_connection_is_encrypted(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    pem, root = tmp_path / "server.pem", tmp_path / "root.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(str(pem))
    authority.cert_pem.write_to_path(str(root))
    with running(
        "server", "--port", "0", "--token-file", place.token_file, "--tls-cert", str(pem)
    ) as serving:
        url = first_line(serving).removeprefix("listening on ")
        assert url.startswith("wss://127.0.0.1:")
        monkeypatch.setenv("SSL_CERT_FILE", str(root))
        with device(place, url):
            pass
        monkeypatch.delenv("SSL_CERT_FILE")
        assert main(["info", "--url", url, "--device", "lab", "--token-file", place.token_file]) == 2
    assert "certificate verify failed" in capsys.readouterr().err
