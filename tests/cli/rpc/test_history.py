import logging
import os
from pathlib import Path

import pytest

from aip_trio.cli.rpc._history import history_file


def test_it_is_in_the_users_state_for_its_owner_alone(tmp_path: Path) -> None:
    path = history_file({"XDG_STATE_HOME": str(tmp_path / "state")})
    assert path is not None
    assert path == tmp_path / "state" / "aip-trio" / "rpc-history"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.write_text("kept\n")
    path.chmod(0o644)
    assert history_file({"XDG_STATE_HOME": str(tmp_path / "state")}) == path
    assert path.read_text() == "kept\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("told", [{}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "relative"}])
def test_without_a_folder_of_its_own_it_is_in_the_home(
    told: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_file(told) == tmp_path / ".local" / "state" / "aip-trio" / "rpc-history"


@pytest.mark.parametrize("obstacle", ["file", "folder", "link", "pipe", "nul"])
def test_where_it_cannot_be_kept_there_is_a_warning_and_none(
    obstacle: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = str(tmp_path)
    place = tmp_path / "aip-trio"
    match obstacle:
        case "file":
            place.touch()
        case "folder":
            (place / "rpc-history").mkdir(parents=True)
        case "link":
            place.mkdir()
            (place / "rpc-history").symlink_to(tmp_path / "elsewhere")
        case "pipe":
            place.mkdir()
            os.mkfifo(place / "rpc-history")
        case _:
            state = f"{tmp_path}/\0"
    with caplog.at_level(logging.WARNING):
        assert history_file({"XDG_STATE_HOME": state}) is None
    assert "no history is kept (" in caplog.text
    assert not (tmp_path / "elsewhere").exists()
