import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from aip_trio.cli import main
from aip_trio.cli.demo._command import check_root
from aip_trio.errors import InvalidOption

#: Nobody listens on port 1, and nobody may without being root.
NOBODY = "ws://127.0.0.1:1/ws"

COMMANDS = ("server", "device", "task", "info", "tools", "demo")
RPC_COMMANDS = ("rpc serve", "rpc send", "rpc watch", "rpc console")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"aip-trio {version('aip-trio')}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["demo", "--nonsense"],
        ["demo", "--seed", "x"],
        ["server", "--port", "65536"],
        ["server", "--drain", "-1"],
        ["device", "--url", NOBODY],
        ["task", "--url", NOBODY],
        ["task", "--url", NOBODY, "--device", "x", "--command", "live_load", "--timeout", "soon"],
        ["info", "--device", "x"],
        ["rpc", "nonsense"],
        ["rpc", "send"],
        ["rpc", "send", "status", "--command-port", "0"],
        ["rpc", "serve", "--dialect", "0.10"],
        ["rpc", "watch", "--count", "0"],
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Usage: aip-trio" in "".join(capsys.readouterr())


@pytest.mark.parametrize("command", [*COMMANDS, *RPC_COMMANDS])
def test_help_lists_the_shared_options_after_the_command_too(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--json", "--debug", "--log-level", "--log-format"))


def test_what_a_command_does_not_need_is_not_imported() -> None:
    code = (
        "import sys, aip_trio.cli._program;"
        "print({'aip_trio.endpoints', 'aip_trio.rpc', 'zmq', 'readline', 'psutil'} & sys.modules.keys())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


@pytest.mark.parametrize(
    "arguments", [["--json", "tools"], ["tools", "--json"], ["--json", "tools", "--json"]]
)
def test_shared_options_stand_before_or_after_the_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["tools"]


def test_the_later_word_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_to_all = tmp_path / "token"
    open_to_all.write_text("token")
    open_to_all.chmod(0o644)
    begin = ["--log-level", "critical", "server", "--token-file", str(open_to_all)]
    begin += ["--tls-key", "missing", "--log-format", "json"]
    assert main(begin) == 2
    assert "chmod 600" not in capsys.readouterr().err
    assert main([*begin, "--log-level", "warning"]) == 2
    record, _ = capsys.readouterr().err.splitlines()
    assert "chmod 600" in json.loads(record)["message"]


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("missing", "does not exist: give a directory that does"),
        ("file", "is no directory: give one, such as the one that it is in"),
        ("a\0b", "cannot be read ("),
    ],
)
def test_a_bad_root_of_the_demo_is_named_with_what_to_do(root: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidOption) as raised:
        check_root(tmp_path / root)
    assert str(raised.value).startswith(f"root={str(tmp_path / root)!r} {told}")


def test_debug_shows_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--root", str(tmp_path / "missing"), "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_without_its_extra_the_program_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "aip_trio.cli._program")
    monkeypatch.setitem(sys.modules, "typer", None)
    assert main(["--version"]) == 2
    assert "pip install 'aip-trio[cli]'" in capsys.readouterr().err


@pytest.mark.parametrize("command", RPC_COMMANDS)
def test_without_zeromq_the_commands_that_need_it_say_what_to_install(command: str) -> None:
    arguments = [*command.split(), *(["status"] if command == "rpc send" else [])]
    code = (
        f"import sys; sys.modules['zmq'] = None; from aip_trio.cli import main; sys.exit(main({arguments}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("aip-trio: error: ")
    assert done.stderr.endswith("pip install 'aip-trio[zmq]'\n")
    assert done.stderr.count("\n") == 1
