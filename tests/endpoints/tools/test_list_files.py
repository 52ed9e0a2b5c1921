import os
from pathlib import Path
from typing import Any

import pytest

from aip_trio.endpoints.tools import ToolRegistry, _folder
from aip_trio.endpoints.tools._count_files import count_files_tool
from aip_trio.endpoints.tools._list_files import list_files_tool
from aip_trio.endpoints.tools._root import Root
from aip_trio.messages import ToolType
from tests.endpoints.tools.support import Interruption, as_nobody, fail, succeed


@pytest.fixture(params=["handles", "paths"])
def registry(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToolRegistry:
    monkeypatch.setattr(_folder, "_RELATIVE", request.param == "handles")
    return ToolRegistry(list_files_tool(Root(tmp_path)), count_files_tool(Root(tmp_path)))


def plant(root: Path) -> None:
    (root / "b" / "d").mkdir(parents=True)
    (root / "a").mkdir()
    (root / "c").write_bytes(b"123")
    (root / "b" / "e").write_bytes(b"12345")
    (root / "b" / "d" / "f").write_bytes(b"1")
    (root / "b" / "back").symlink_to("..")
    (root / "link").symlink_to("b")
    os.mkfifo(root / "pipe")


def below(root: Path) -> list[Path]:
    return list(root.rglob("*"))


def paths(listing: dict[str, Any]) -> list[str]:
    return [entry["path"] for entry in listing["entries"]]


def test_to_list_and_to_count_is_to_collect_data(registry: ToolRegistry) -> None:
    assert {each.tool_type for each in registry} == {ToolType.DATA_COLLECTION}


@pytest.mark.trio
async def test_a_folder_is_listed_by_name(registry: ToolRegistry, tmp_path: Path) -> None:
    plant(tmp_path)
    listing = await succeed(registry, "list_files")
    assert not listing["truncated"]
    assert [(entry["path"], entry["kind"], entry["size"]) for entry in listing["entries"]] == [
        ("a", "folder", None),
        ("b", "folder", None),
        ("c", "file", 3),
        ("link", "link", None),
        ("pipe", "other", None),
    ]
    for entry in listing["entries"]:
        assert entry["modified"] == (tmp_path / entry["path"]).lstat().st_mtime
        assert entry["error"] is None


@pytest.mark.trio
async def test_folders_in_it_are_listed_after_it_and_links_not_followed(
    registry: ToolRegistry, tmp_path: Path
) -> None:
    plant(tmp_path)
    listing = await succeed(registry, "list_files", recursive=True)
    assert paths(listing) == ["a", "b", "c", "link", "pipe", "b/back", "b/d", "b/e", "b/d/f"]


@pytest.mark.parametrize("path", ["b", "./b/", "link", "b/back/b"])
@pytest.mark.trio
async def test_the_paths_are_those_that_other_tools_take(
    registry: ToolRegistry, tmp_path: Path, path: str
) -> None:
    plant(tmp_path)
    assert paths(await succeed(registry, "list_files", path=path)) == ["b/back", "b/d", "b/e"]


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.trio
async def test_a_listing_has_a_limit_and_says_when_there_is_more(
    registry: ToolRegistry, tmp_path: Path, recursive: bool
) -> None:
    plant(tmp_path)
    whole = await succeed(registry, "list_files", recursive=recursive)
    total = len(whole["entries"])
    for limit in range(1, total + 3):
        listing = await succeed(registry, "list_files", recursive=recursive, limit=limit)
        assert listing["entries"] == whole["entries"][:limit]
        assert listing["truncated"] is (limit < total)


@pytest.mark.trio
async def test_a_name_that_is_no_text_is_written_out(registry: ToolRegistry, tmp_path: Path) -> None:
    name = b"caf\xe9"
    try:
        os.mkdir(os.path.join(os.fsencode(tmp_path), name))
    except OSError:
        pytest.skip("this file system has no such names")
    os.mknod(os.path.join(os.fsencode(tmp_path), name, b"file"))
    listing = await succeed(registry, "list_files", recursive=True)
    assert paths(listing) == ["caf\\xe9", "caf\\xe9/file"]
    assert {entry["error"] for entry in listing["entries"]} == {"its name is not UTF-8"}
    assert (await succeed(registry, "count_files"))["files"] == 1


@pytest.mark.trio
async def test_a_folder_that_cannot_be_read_is_told_and_the_rest_is_listed(
    registry: ToolRegistry, tmp_path: Path
) -> None:
    plant(tmp_path)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    (tmp_path / "b").chmod(0)
    with as_nobody():
        listing = await succeed(registry, "list_files", recursive=True)
        count = await succeed(registry, "count_files")
        error = await fail(registry, "list_files", path="b")
    (tmp_path / "b").chmod(0o755)
    assert paths(listing) == ["a", "b", "c", "link", "pipe"]
    assert [entry["error"] for entry in listing["entries"]] == [None, "EACCES", None, None, None]
    assert count == {"path": ".", "files": 1, "bytes": 3, "folders": 2, "unreadable": 1}
    assert error == "path='b': Permission denied (EACCES)"


@pytest.mark.trio
async def test_files_and_bytes_are_counted_without_following_links(
    registry: ToolRegistry, tmp_path: Path
) -> None:
    plant(tmp_path)
    assert await succeed(registry, "count_files") == {
        "path": ".",
        "files": 3,
        "bytes": 9,
        "folders": 3,
        "unreadable": 0,
    }
    assert (await succeed(registry, "count_files", path="link"))["files"] == 2
    assert (await succeed(registry, "count_files", path="a"))["files"] == 0


@pytest.mark.parametrize("name", ["list_files", "count_files"])
@pytest.mark.trio
async def test_what_is_no_folder_is_told(registry: ToolRegistry, tmp_path: Path, name: str) -> None:
    plant(tmp_path)
    (tmp_path / "out").symlink_to("../..")
    assert "(ENOENT)" in await fail(registry, name, path="missing")
    assert "(ENOTDIR)" in await fail(registry, name, path="c")
    assert "(ENOTDIR)" in await fail(registry, name, path="pipe")
    assert "leads out of the root folder" in await fail(registry, name, path="out")


@pytest.mark.trio
async def test_a_folder_that_goes_away_meanwhile_is_passed_over(
    registry: ToolRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path)
    opened = Root.folder

    def vanish(root: Root, names: tuple[str, ...]) -> _folder.Folder:
        if names == ("b",):
            raise FileNotFoundError
        return opened(root, names)

    monkeypatch.setattr(Root, "folder", vanish)
    listing = await succeed(registry, "list_files", recursive=True)
    assert paths(listing) == ["a", "b", "c", "link", "pipe"]
    assert all(entry["error"] is None for entry in listing["entries"])
    assert (await succeed(registry, "count_files"))["unreadable"] == 0


@pytest.mark.trio
async def test_a_large_tree_is_counted_as_plain_code_counts_it(
    registry: ToolRegistry, tmp_path: Path
) -> None:
    for folder in range(20):
        (tmp_path / f"{folder}").mkdir()
        for file in range(30):
            (tmp_path / f"{folder}" / f"{file}").write_bytes(b"x" * file)
    count = await succeed(registry, "count_files")
    listing = await succeed(registry, "list_files", recursive=True)
    plain = {str(path.relative_to(tmp_path)): path for path in below(tmp_path)}
    sizes = [path.stat().st_size for path in plain.values() if path.is_file()]
    assert (count["files"], count["bytes"], count["folders"]) == (600, sum(sizes), 20)
    assert sorted(paths(listing)) == sorted(plain)


@pytest.mark.parametrize("name", ["list_files", "count_files"])
@pytest.mark.trio
async def test_a_cancelled_walk_ends_between_two_entries(
    registry: ToolRegistry, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (tmp_path / f"{number}").touch()
    interruption = Interruption(at=1)
    interruption.arm(monkeypatch)
    with interruption.scope:
        await registry[name].call({})
    assert interruption.scope.cancelled_caught
    assert interruption.looked == 2
