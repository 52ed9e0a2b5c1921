import hashlib
import os
import tracemalloc
from pathlib import Path

import pytest

from aip_trio.cli.demo._plain import glance, look
from aip_trio.cli.demo._reading import read_files
from aip_trio.cli.demo._walker import portions
from tests.cli.demo.unprivileged import NOBODY, as_nobody, forbid
from tests.cli.trees import grow


def go_on() -> None:
    pass


def test_a_file_is_hashed_and_stamped(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (entry,) = read_files(str(tmp_path), ["a"], go_on).entries
    status = (tmp_path / "a").stat()
    assert entry.digest == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert (entry.stamp.size, entry.stamp.modified) == (3_000_000, status.st_mtime_ns)


def test_what_is_no_regular_file_any_more_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    paths = ["missing", "link", "pipe", "directory", "file/below"]
    findings = read_files(str(tmp_path), paths, go_on)
    assert findings.entries == ()
    assert findings.unreadable == ()


def test_a_huge_file_takes_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        read_files(str(tmp_path), ["huge"], go_on)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_the_check_ends_it_within_a_file(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1_000_000_000_000)
    left = 5

    def check() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_files(str(tmp_path), ["huge"], check)
    left = 5
    with pytest.raises(KeyboardInterrupt):
        look(str(tmp_path), check)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX")
def test_both_ways_name_what_they_cannot_read(tmp_path: Path) -> None:
    grow(tmp_path / "tree", 3)
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and not path.stat().st_mode & 0o5:
            path.chmod(path.stat().st_mode | 0o755)
    forbid(tmp_path / "tree")
    if os.geteuid() == 0:
        assert (tmp_path / "tree" / "secret").stat().st_uid != NOBODY
    root = str(tmp_path / "tree")
    with as_nobody():
        found = list(portions(root))
        paths = [path for portion in found for path in portion.paths]
        findings = read_files(root, paths, go_on)
        plain = look(root, go_on)
    unreadable = dict(findings.unreadable) | {k: v for portion in found for k, v in portion.unreadable}
    assert unreadable == {"secret": "EACCES", "closed": "EACCES"}
    assert plain.inventory.unreadable == unreadable
    assert plain.glance.unlisted == {"closed": "EACCES"}


def test_a_plain_glance_sees_what_a_plain_look_sees(tmp_path: Path) -> None:
    grow(tmp_path, 60)
    assert look(str(tmp_path), go_on).glance == glance(str(tmp_path), go_on)
