import hashlib
import os
from pathlib import Path

import pytest

from aip_trio.cli.demo import _plain
from aip_trio.cli.demo._plain import glance, look, survey
from aip_trio.cli.demo._scope import Scope
from tests.cli.demo.unprivileged import as_nobody, forbid
from tests.cli.trees import grow


def go_on() -> None:
    pass


def test_a_file_is_hashed_and_stamped(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    seen = look(str(tmp_path), Scope(), go_on)
    assert seen.inventory.entries["a"].digest == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    stamp = seen.glance.stamps["a"]
    assert (stamp.size, stamp.modified) == (3_000_000, (tmp_path / "a").stat().st_mtime_ns)


def test_regular_files_and_folders_are_seen_and_nothing_else(tmp_path: Path) -> None:
    grow(tmp_path, 60)
    scope, before = survey(str(tmp_path), go_on)
    assert scope == Scope()
    assert len(before.stamps) == 60
    assert before.folders.keys() == {
        "" if path == tmp_path else str(path.relative_to(tmp_path))
        for path in (tmp_path, *tmp_path.rglob("*"))
        if path.is_dir() and not path.is_symlink()
    }
    assert before.unreadable == {r"\xff\xfe.bin": "its name is not UTF-8"}


def test_a_survey_a_glance_and_a_look_see_the_same(tmp_path: Path) -> None:
    grow(tmp_path, 60)
    scope, before = survey(str(tmp_path), go_on)
    assert glance(str(tmp_path), scope, go_on) == before
    assert look(str(tmp_path), scope, go_on).glance == before


def test_of_too_many_names_the_nearest_folders_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_plain, "MOST_NAMES", 10)
    for folder in ("a", "b", "b/deep", "crowd"):
        (tmp_path / folder).mkdir()
        for number in range(11 if folder == "crowd" else 4):
            (tmp_path / folder / str(number)).touch()
    scope, before = survey(str(tmp_path), go_on)
    assert scope.folders == frozenset({"", "a", "b"})
    assert len(before.stamps) == 8
    assert glance(str(tmp_path), scope, go_on) == before


def test_what_is_not_to_be_hashed_is_listed(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(10**12)
    entries = look(str(tmp_path), Scope(), go_on).inventory.entries
    assert entries["small"].digest is not None
    assert (entries["huge"].size, entries["huge"].digest) == (10**12, None)


def test_the_check_ends_it_within_a_file(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 10_000_000)
    left = 5

    def check() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(str(tmp_path), Scope(), check)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX")
def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    grow(tmp_path / "tree", 3)
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and not path.stat().st_mode & 0o5:
            path.chmod(path.stat().st_mode | 0o755)
    forbid(tmp_path / "tree")
    with as_nobody():
        seen = look(str(tmp_path / "tree"), Scope(), go_on)
    odd = {r"\xff\xfe.bin": "its name is not UTF-8"}
    assert seen.inventory.unreadable == {"secret": "EACCES", "closed": "EACCES", **odd}
    assert seen.glance.unreadable == {"closed": "EACCES", **odd}
