import contextlib
import functools
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from aip_trio.endpoints.tools import _folder, _root
from aip_trio.endpoints.tools._root import Root, refusals
from aip_trio.errors import AipError, FileFailed, InvalidOption, PathOutsideRoot, UnsupportedFile

SECRET = b"a secret"


@pytest.fixture(params=["handles", "paths"])
def tree(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with a secret beside it, on a platform that opens relative to a folder, and on another."""
    monkeypatch.setattr(_folder, "_RELATIVE", request.param == "handles")
    return plant(tmp_path)


def plant(folder: Path) -> Path:
    (folder / "secret").write_bytes(SECRET)
    root = folder / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "file").write_bytes(b"at the top")
    (root / "a" / "file").write_bytes(b"in a")
    (root / "a" / "b" / "file").write_bytes(b"in b")
    links = {
        "to_a": "a",
        "to_b": "./to_a//b/",
        "a/b/up": "..",
        "a/b/top": "../..",
        "a/b/to_file": "../file",
        "absolute": str(root / "a"),
        "etc": "/etc",
        "out": "..",
        "out_by_a": "a/../../secret",
        "a/b/out": "../../../secret",
        "to_secret": "../secret",
        "loop": "loop",
        "round": "about",
        "about": "round",
        "dangling": "a/new",
        "deeper": "deeper/deeper",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    return root


def read(root: Root, path: str) -> bytes:
    with refusals(path), root.file(path) as descriptor:
        return os.read(descriptor, 100)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("file", b"at the top"),
        ("./a//./file", b"in a"),
        ("a/b/file", b"in b"),
        ("to_a/file", b"in a"),
        ("to_b/file", b"in b"),
        ("to_b/up/file", b"in a"),
        ("to_b/top/to_b/top/file", b"at the top"),
        ("a/b/to_file", b"in a"),
    ],
)
def test_a_file_is_found_by_a_path_and_by_links_that_stay_below_the_root(
    tree: Path, path: str, content: bytes
) -> None:
    assert read(Root(tree), path) == content


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc/passwd", "is absolute"),
        ("//etc/passwd", "is absolute"),
        ("..", "has '..' in it"),
        ("../secret", "has '..' in it"),
        ("a/../../secret", "has '..' in it"),
        ("a/b/..", "has '..' in it"),
        ("file\0", "has a NUL in it"),
        ("\ud800", "is not UTF-8"),
        ("absolute/file", "leads through a symbolic link to an absolute path"),
        ("etc/passwd", "leads through a symbolic link to an absolute path"),
        ("out/secret", "leads out of the root folder by a symbolic link"),
        ("out/root/file", "leads out of the root folder by a symbolic link"),
        ("out_by_a", "leads out of the root folder by a symbolic link"),
        ("to_b/out", "leads out of the root folder by a symbolic link"),
        ("to_secret", "leads out of the root folder by a symbolic link"),
    ],
)
def test_a_path_that_leads_out_is_refused(tree: Path, path: str, reason: str) -> None:
    with pytest.raises(PathOutsideRoot) as raised:
        read(Root(tree), path)
    assert (raised.value.path, raised.value.reason) == (path, reason)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("missing", "ENOENT"),
        ("missing/file", "ENOENT"),
        ("dangling", "ENOENT"),
        ("file/file", "ENOTDIR"),
        ("loop", "ELOOP"),
        ("round/file", "ELOOP"),
        ("deeper", "ELOOP"),
        ("x" * 300, "ENAMETOOLONG"),
        ("x/" * 3000, "ENAMETOOLONG"),
        ("~root", "ENOENT"),
        ("...", "ENOENT"),
        ("..\\secret", "ENOENT"),
        ("%2e%2e/secret", "ENOENT"),
    ],
    ids=lambda value: value[:20],
)
def test_what_the_system_refuses_is_told_with_the_peers_own_path_only(
    tree: Path, path: str, code: str
) -> None:
    with pytest.raises(FileFailed) as raised:
        read(Root(tree), path)
    assert (raised.value.path, raised.value.code) == (path, code)
    assert str(tree) not in str(raised.value)


def device(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the superuser makes devices")
    os.mknod(path, 0o20600, os.makedev(1, 5))  # /dev/zero


def pipe(path: Path) -> None:
    os.mkfifo(path)


def sock(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


@pytest.mark.parametrize(
    ("make", "kind"), [(pipe, "a pipe"), (sock, "a socket"), (device, "a device"), (Path.mkdir, "a folder")]
)
def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    tree: Path, make: Callable[[Path], None], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    make(tree / "special")
    with pytest.raises(UnsupportedFile, match=f"is {kind}: name a regular file"):
        read(Root(tree), "special")


@pytest.mark.parametrize("path", ["", ".", "a/b/top", "./"])
def test_the_root_is_a_folder(tree: Path, path: str) -> None:
    assert Root(tree).resolve(path) == ()
    with pytest.raises(UnsupportedFile, match="is a folder"):
        read(Root(tree), path)


@pytest.mark.parametrize("names", [("to_a",), ("a", "b", "up"), ("etc",), ("out",), ("file",), ("missing",)])
def test_a_folder_is_opened_without_following_any_link(tree: Path, names: tuple[str, ...]) -> None:
    """What protects whoever a folder is swapped on, after the path was resolved."""
    with pytest.raises((NotADirectoryError, FileNotFoundError)):
        Root(tree).folder(names)


@pytest.mark.parametrize("name", ["..", "../secret", "/etc", "a/b"])
def test_a_folder_takes_names_and_no_paths(tree: Path, name: str) -> None:
    with Root(tree).folder(()) as folder:
        uses: list[Callable[[str], object]] = [
            folder.status,
            folder.enter,
            folder.remove,
            functools.partial(folder.replace, "file"),
            functools.partial(folder.place, "file"),
        ]
        for use in uses:
            with pytest.raises(ValueError, match="is not one in this folder"):
                use(name)


def test_no_descriptor_is_left_open(tree: Path) -> None:
    root = Root(tree)
    before = len(os.listdir("/proc/self/fd"))
    for path in ("a/b/file", "missing/x", "a/b", "etc", "file/x"):
        with contextlib.suppress(AipError):
            read(root, path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_is_swapped_for_a_link_while_it_is_opened_is_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swap(path: str, status: os.stat_result) -> None:
        monkeypatch.undo()
        (tree / "file").unlink()
        (tree / "file").symlink_to(tree.parent / "secret")

    monkeypatch.setattr(_root, "check_regular", swap)
    with pytest.raises(FileFailed) as raised:
        read(Root(tree), "file")
    assert raised.value.code == "ELOOP"


def test_a_file_that_is_swapped_for_a_pipe_while_it_is_opened_is_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swap(path: str, status: os.stat_result) -> None:
        monkeypatch.setattr(_root, "check_regular", check)
        (tree / "file").unlink()
        os.mkfifo(tree / "file")

    check = _root.check_regular
    monkeypatch.setattr(_root, "check_regular", swap)
    with pytest.raises(UnsupportedFile, match="is a pipe"):
        read(Root(tree), "file")


def test_a_folder_that_is_swapped_for_a_link_over_and_over_never_leads_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder, content in ((root / "in", b"inside"), (outside, SECRET)):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(content)
    (root / "link").symlink_to("../outside")
    tools, done = Root(root), threading.Event()

    def swap() -> None:
        while not done.is_set():
            os.rename(root / "in", root / "hidden")
            os.rename(root / "link", root / "in")
            os.rename(root / "in", root / "link")
            os.rename(root / "hidden", root / "in")

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen: set[object] = set()
    try:
        for _ in range(5000):
            try:
                seen.add(read(tools, "in/file"))
            except (FileFailed, PathOutsideRoot) as error:
                seen.add(type(error))
    finally:
        done.set()
        swapper.join()
    assert SECRET not in seen
    assert b"inside" in seen


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("shared"))


PARTS = st.one_of(
    st.sampled_from(
        [
            "a",
            "b",
            "file",
            "to_a",
            "to_b",
            "up",
            "top",
            "to_file",
            "absolute",
            "etc",
            "out",
            "out_by_a",
            "secret",
        ]
    ),
    st.sampled_from(["", ".", "..", "...", "~", "\0", "\\", "..\\", "C:", "root", "passwd", "proc", "self"]),
    st.text(max_size=3),
)


def join(start: str, parts: list[str], separator: str) -> str:
    return start + separator.join(parts)


PATHS = st.builds(
    join,
    st.sampled_from(["", "", "", "/", "./", "//", "../"]),
    st.lists(PARTS, max_size=8),
    st.sampled_from(["/", "/", "//", "/./"]),
)
CONTENTS = {b"at the top", b"in a", b"in b"}


@pytest.mark.parametrize("relative", [True, False])
@settings(max_examples=300, deadline=None)
@given(path=PATHS)
def test_no_path_ever_reaches_outside_the_root(shared: Path, relative: bool, path: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_folder, "_RELATIVE", relative)
        root = Root(shared)
        try:
            names = root.resolve(path)
        except (PathOutsideRoot, OSError):
            pass
        else:
            # what it resolves to is below the root, and reached without a link
            assert not {"", ".", ".."} & set(names)
            assert not any("/" in name or "\0" in name for name in names)
            real = os.path.realpath(os.path.join(shared, *names))
            assert os.path.commonpath([real, shared]) == str(shared)
        try:
            content: bytes | None = read(root, path)
        except (PathOutsideRoot, UnsupportedFile, FileFailed) as error:
            content, told = None, str(error)
        else:
            told = ""
        assert content is None or content in CONTENTS
        assert str(shared) not in told


@pytest.mark.parametrize("path", ["C:\\x", "c:x", "a\\..\\..\\x", "\\x", "file:stream", "\\\\server\\share"])
def test_on_windows_drives_streams_and_backslashes_are_known(
    tree: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_root, "_WINDOWS", True)
    with pytest.raises(PathOutsideRoot):
        Root(tree).resolve(path)
    assert Root(tree).resolve("a\\b") == ("a", "b")


def test_a_root_is_a_folder_that_exists(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, reason in (("missing", "No such file"), ("file", "is no folder"), ("nul\0", "null")):
        with pytest.raises(InvalidOption, match=reason):
            Root(tmp_path / path)


def test_a_root_may_itself_be_a_link(tree: Path) -> None:
    link = tree.parent / "link"
    link.symlink_to(tree)
    assert Root(link) == Root(tree) == Root(str(tree))
    assert read(Root(link), "to_b/file") == b"in b"


def test_a_root_that_is_gone_is_an_error_without_its_path(tree: Path) -> None:
    root = Root(tree)
    tree.rename(tree.parent / "elsewhere")
    with pytest.raises(FileFailed) as raised:
        read(root, "file")
    assert raised.value.code == "ENOENT"
    assert str(tree) not in str(raised.value)
