import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from aip_trio.cli import main
from tests.cli.trees import grow


@pytest.fixture
def tree(tmp_path: Path) -> str:
    return str(grow(tmp_path / "tree", 5))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"aip-trio {version('aip-trio')}\n"


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["demo", "--nonsense"], ["demo", "--seed", "x"], ["demo", "--workers", "0"]],
)
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Usage: aip-trio" in "".join(capsys.readouterr())


def test_help_lists_the_shared_options_after_the_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--root", "--json", "--debug", "--log-level", "--log-format"))


@pytest.mark.parametrize("arguments", [["--json", "demo"], ["demo", "--json"], ["--json", "demo", "--json"]])
def test_shared_options_stand_before_or_after_the_command(
    arguments: list[str], tree: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--root", tree]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is True


def test_the_later_word_counts(tree: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--log-level", "error", "demo", "--log-level", "info", "--log-format", "json"]
    assert main([*arguments, "--root", tree]) == 0
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert any(record.get("error", "").startswith("Sabotage") for record in records)


def test_planned_crashes_are_not_in_the_log(tree: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--root", tree]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("missing", "does not exist: give a directory that does"),
        ("file", "is no directory: give one, such as the one that it is in"),
    ],
)
def test_a_bad_root_is_named_with_what_to_do(
    root: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / root
    assert main(["demo", "--root", str(path)]) == 2
    assert capsys.readouterr() == ("", f"aip-trio: error: root={str(path)!r} {told}\n")


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
