from itertools import count
from typing import Any

import attrs

from aip_trio.cli.demo._inventory import Entry
from aip_trio.cli.demo._jobs import Command, HashFiles, Job, ListFolders, Stocktaking, least_jobs
from aip_trio.cli.demo._plain import Glance, Stamp
from aip_trio.cli.demo._scope import Scope


def taking(scope: Scope | None = None) -> Stocktaking:
    numbers = count(1)
    return Stocktaking(scope or Scope(), lambda: f"id-{next(numbers)}")


def success(result: object) -> Command:
    return {"status": "success", "error": None, "result": result}


def failure(error: str) -> Command:
    return {"status": "failure", "error": error, "result": None}


def listed(**kinds: str | int) -> Command:
    """Files are given by their sizes."""
    entries = [
        {"path": path.replace("_", "/"), "kind": kind, "size": None, "error": None}
        if isinstance(kind, str)
        else {"path": path.replace("_", "/"), "kind": "file", "size": kind, "error": None}
        for path, kind in kinds.items()
    ]
    return success({"entries": entries, "truncated": False})


def hashed(size: int, digest: str) -> Command:
    return success({"size": size, "digest": digest})


def test_the_first_task_lists_the_root() -> None:
    job = taking().begin()
    assert job == ListFolders(id="id-1", folders=("",))
    (command,) = job.commands()
    assert command["tool_name"] == "list_files"
    assert command["parameters"]["path"] == "."


def test_folders_and_files_that_were_found_are_the_next_tasks() -> None:
    stock = taking()
    jobs = stock.take(stock.begin(), [listed(a=3, d="folder", link="link", pipe="other")])
    assert jobs == [ListFolders(id="id-2", folders=("d",)), HashFiles(id="id-3", files=("a",))]
    assert stock.take(jobs[0], [listed(d_b=0)]) == [HashFiles(id="id-4", files=("d/b",))]
    assert stock.take(jobs[1], [hashed(3, "abc")]) == []
    assert stock.inventory.entries == {"a": Entry("a", 3, "abc"), "d/b": Entry("d/b", 0, None)}
    assert stock.files == 2


def test_a_task_is_small_enough_to_be_done_again() -> None:
    stock = taking()
    files: dict[str, Any] = {f"f{number}": 1 for number in range(70)}
    folders: dict[str, Any] = {f"d{number}": "folder" for number in range(20)}
    jobs = stock.take(stock.begin(), [listed(**files, **folders)])
    assert [len(job.commands()) for job in jobs] == [16, 4, 32, 32, 6]
    heavy: dict[str, Any] = {f"f{number}": 3_000_000 for number in range(3)}
    assert [len(job.commands()) for job in stock.take(stock.begin(), [listed(**heavy)])] == [1, 1, 1]


def test_the_scope_decides_what_follows() -> None:
    stock = taking(Scope(folders=frozenset({"", "near"})))
    jobs = stock.take(stock.begin(), [listed(near="folder", far="folder", huge=10**12)])
    assert jobs == [ListFolders(id="id-2", folders=("near",))]
    assert stock.inventory.entries == {"huge": Entry("huge", 10**12, None)}


def test_what_failed_is_unreadable() -> None:
    stock = taking()
    odd = {"path": r"\xff", "kind": "file", "size": 1, "error": "its name is not UTF-8"}
    jobs = stock.take(
        ListFolders(id="x", folders=("", "closed")),
        [success({"entries": [odd, *listed(a=1, b=2)["result"]["entries"]]}), failure("EACCES")],
    )
    assert stock.take(jobs[0], [failure("EIO"), hashed(2, "b")]) == []
    assert stock.inventory.unreadable == {r"\xff": "its name is not UTF-8", "closed": "EACCES", "a": "EIO"}
    assert stock.inventory.entries == {"b": Entry("b", 2, "b")}


def test_the_load_is_kept_for_each_device() -> None:
    stock = taking()
    job = stock.measure("lab")
    assert [command["tool_name"] for command in job.commands()] == ["live_load"]
    assert stock.take(job, [success({"cpu_percent": 12.5, "memory_percent": 3.0})]) == []
    assert attrs.asdict(stock.loads["lab"]) == {"cpu": 12.5, "memory": 3.0}


def test_every_task_has_an_id_of_its_own_and_a_title() -> None:
    stock = taking()
    jobs: list[Job] = [stock.begin(), stock.measure("lab"), HashFiles(id="y", files=("a",))]
    assert len({job.id for job in jobs}) == 3
    assert [job.title for job in jobs] == ["a list of folders (1)", "machine load", "hashes of files (1)"]


def test_the_number_of_tasks_is_estimated_from_below() -> None:
    stamp = Stamp(1, 0, 0)
    seen = Glance({f"{number}": stamp for number in range(33)}, {f"{number}": stamp for number in range(17)})
    assert least_jobs(Scope(), seen, 3) == 3 + 2 + 2
    assert least_jobs(Scope(), Glance({}, {"": stamp}), 3) == 3 + 1
