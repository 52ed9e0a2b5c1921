"""The demo from end to end, in this process."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from aip_trio.cli import main
from aip_trio.cli.demo import _command
from aip_trio.cli.demo._command import check_root
from aip_trio.cli.demo._comparison import compare
from aip_trio.cli.demo._plain import look
from aip_trio.errors import InvalidOption
from tests.cli.trees import grow


def run(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    status = main(["demo", "--json", "--root", str(root), *arguments])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("files", [1, 2, 150])
def test_the_inventory_is_equal_whatever_crashes(
    seed: int, files: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = grow(tmp_path, files, seed)
    status, outcome = run(capsys, root, "--seed", str(seed))
    assert status == 0
    assert outcome["equal"] is True
    assert outcome["files"] == files + 1
    assert outcome["seed"] == seed
    assert outcome["changed_meanwhile"] == outcome["differences"] == outcome["unreadable"] == []
    assert outcome["planned_crashes"]["workers"] >= 3
    assert outcome["planned_crashes"]["collectors"] >= 2
    assert outcome["crashes"] == outcome["restarts"] >= 5
    assert sum(kind["files"] for kind in outcome["types"]) == files + 1


def test_an_empty_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, outcome = run(capsys, tmp_path)
    assert status == 0
    assert (outcome["files"], outcome["bytes"], outcome["crashes"]) == (0, 0, 0)


def test_a_wrong_inventory_is_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = grow(tmp_path, 30)

    def lossy(inventory: Any, plain: Any, **rest: Any) -> Any:
        first = min(inventory.entries)
        return compare(inventory.without(frozenset([first])), plain, **rest)

    monkeypatch.setattr(_command, "compare", lossy)
    status, outcome = run(capsys, root)
    assert status == 1
    assert outcome["equal"] is False
    assert [difference["actors"] for difference in outcome["differences"]] == ["not there"]
    assert main(["demo", "--root", str(root)]) == 1
    assert "NOT EQUAL" in capsys.readouterr().out


def test_what_changes_meanwhile_is_told_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = grow(tmp_path, 30)
    (root / "shrinks").write_text("12345")
    (root / "goes").write_text("12345")

    def look_late(*arguments: Any) -> Any:
        (root / "shrinks").write_text("1")
        (root / "comes").write_text("1")
        (root / "goes").unlink()
        return look(*arguments)

    monkeypatch.setattr(_command, "look", look_late)
    status, outcome = run(capsys, root)
    assert status == 0
    assert outcome["changed_meanwhile"] == ["comes", "goes", "shrinks"]
    assert outcome["files"] == 31


def test_no_bytecode_is_written_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def look_late(*arguments: Any) -> Any:
        seen.append(sys.dont_write_bytecode)
        return look(*arguments)

    monkeypatch.setattr(_command, "look", look_late)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert main(["demo", "--root", str(tmp_path)]) == 0
    assert seen == [True]
    assert sys.dont_write_bytecode is False


def test_a_tree_that_gives_up_is_one_line_with_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("cannot be read")

    monkeypatch.setattr("aip_trio.cli.demo._worker.read_files", broken)
    assert main(["demo", "--root", str(grow(tmp_path, 3)), "--log-level", "critical"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("aip-trio: error: supervisor / gave up on child 'stocktaking'")
    assert "KeyError: 'cannot be read'" in line


def test_a_root_with_a_nul_is_refused() -> None:
    with pytest.raises(InvalidOption, match="embedded null"):
        check_root(Path("a\0b"))
