"""What the fleet is asked for: the tasks of an inventory, and what their results say. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from aip_trio.cli.demo._inventory import Entry, Inventory
from aip_trio.cli.demo._plain import Glance
from aip_trio.cli.demo._scope import Scope

__all__ = ["Command", "HashFiles", "Job", "ListFolders", "Load", "MeasureLoad", "Stocktaking", "least_jobs"]

#: A task is as large as pays for its messages, and small enough to be asked for again.
_FOLDERS = 16
_FILES = 32
_BYTES = 4 * 1024 * 1024

#: As the tool's own: no folder that is looked into has more (see `Scope`).
_MOST_ENTRIES = 100_000

#: A command of a task's metadata.
Command = dict[str, Any]


@attrs.frozen(kw_only=True)
class Job:
    """A task for whichever device is free; ``id`` is its session's, whoever does it and however often."""

    id: str

    @property
    def title(self) -> str:
        """For people."""
        raise NotImplementedError

    def commands(self) -> list[Command]:
        """One result is expected of each."""
        raise NotImplementedError


@attrs.frozen(kw_only=True)
class ListFolders(Job):
    """Find out what is in these folders; "" is the root."""

    folders: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"a list of folders ({len(self.folders)})"

    def commands(self) -> list[Command]:
        return [_command("list_files", path=folder or ".", limit=_MOST_ENTRIES) for folder in self.folders]


@attrs.frozen(kw_only=True)
class HashFiles(Job):
    """Hash these files."""

    files: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"hashes of files ({len(self.files)})"

    def commands(self) -> list[Command]:
        return [_command("hash_file", path=path) for path in self.files]


@attrs.frozen(kw_only=True)
class MeasureLoad(Job):
    """Tell how busy the machine is: for one device alone."""

    device: str

    @property
    def title(self) -> str:
        return "machine load"

    def commands(self) -> list[Command]:
        return [_command("live_load")]


@attrs.frozen
class Load:
    """How busy a device's machine is, in percent."""

    cpu: float
    memory: float


class Stocktaking:
    """An inventory in the making: each task's results say what there is, and which tasks follow."""

    def __init__(self, scope: Scope, new_id: Callable[[], str]) -> None:
        self._scope = scope
        self._new_id = new_id
        self._entries: dict[str, Entry] = {}
        self._unreadable: dict[str, str] = {}
        self.loads: dict[str, Load] = {}

    @property
    def inventory(self) -> Inventory:
        """All that was found so far."""
        return Inventory(self._entries, self._unreadable)

    @property
    def files(self) -> int:
        """How many files were found so far."""
        return len(self._entries)

    def begin(self) -> Job:
        """The first task: what is in the root."""
        return ListFolders(id=self._new_id(), folders=("",))

    def measure(self, device: str) -> Job:
        """A task for this device."""
        return MeasureLoad(id=self._new_id(), device=device)

    def take(self, job: Job, results: Sequence[Command]) -> list[Job]:
        """Note what a task has found; the tasks that follow from it."""
        match job:
            case ListFolders(folders=folders):
                return list(self._listed(folders, results))
            case HashFiles(files=files):
                self._hashed(files, results)
            case MeasureLoad(device=device):
                load = results[0]["result"]
                self.loads[device] = Load(load["cpu_percent"], load["memory_percent"])
            case _:
                raise AssertionError(job)
        return []

    def _listed(self, folders: Sequence[str], results: Sequence[Command]) -> Iterator[Job]:
        deeper: list[str] = []
        files: list[tuple[str, int]] = []
        for folder, result in zip(folders, results, strict=True):
            if result["error"] is not None:
                self._unreadable[folder] = result["error"]
                continue
            for found in result["result"]["entries"]:
                path, kind = found["path"], found["kind"]
                if kind not in ("file", "folder"):
                    continue
                if found["error"] is not None:
                    self._unreadable[path] = found["error"]
                elif kind == "folder":
                    deeper += [path] * self._scope.follows(path)
                else:
                    self._entries[path] = Entry(path, found["size"], None)
                    files += [(path, found["size"])] * self._scope.hashes(path, found["size"])
        for start in range(0, len(deeper), _FOLDERS):
            yield ListFolders(id=self._new_id(), folders=tuple(deeper[start : start + _FOLDERS]))
        for batch in _batches(files):
            yield HashFiles(id=self._new_id(), files=batch)

    def _hashed(self, files: Sequence[str], results: Sequence[Command]) -> None:
        for path, result in zip(files, results, strict=True):
            if result["error"] is None:
                found = result["result"]
                self._entries[path] = Entry(path, found["size"], found["digest"])
            else:
                del self._entries[path]
                self._unreadable[path] = result["error"]


def least_jobs(scope: Scope, seen: Glance, devices: int) -> int:
    """How many tasks an inventory of this takes at least, those at its end not counted."""
    files = sum(scope.hashes(path, stamp.size) for path, stamp in seen.stamps.items())
    return devices + -(-len(seen.folders) // _FOLDERS) + -(-files // _FILES)


def _command(tool: str, **parameters: object) -> Command:
    return {"tool_name": tool, "tool_type": "data_collection", "parameters": parameters}


def _batches(files: Sequence[tuple[str, int]]) -> Iterator[tuple[str, ...]]:
    """Files to be hashed together, with their sizes."""
    batch: list[str] = []
    total = 0
    for path, size in files:
        if batch and (len(batch) == _FILES or total + size > _BYTES):
            yield tuple(batch)
            batch, total = [], 0
        batch.append(path)
        total += size
    if batch:
        yield tuple(batch)
