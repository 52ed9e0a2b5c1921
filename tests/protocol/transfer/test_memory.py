"""How much memory a large file takes, whatever its size."""

import os
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from aip_trio.actors import RealEnvironment, open_system
from tests.protocol.transfer.ends import Seen, memory

_MIB = 1024 * 1024
_SIZE = 200 * _MIB


class Hasty(RealEnvironment):
    """Leaves it to the system when to bring a file to the disk."""

    def sync(self, file: int) -> None:
        pass


def sparse(path: Path) -> Path:
    """A file of zeros that takes no room."""
    with open(path, "wb") as file:
        file.truncate(_SIZE)
    return path


def resident() -> int:
    """Bytes of this process that are in memory now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def highest(peaks: list[int]) -> Callable[[], object]:
    return lambda: peaks.append(max(peaks[-1], resident()))


@pytest.mark.trio
async def test_a_file_of_any_size_is_sent_and_received_in_the_memory_of_a_few_chunks(tmp_path: Path) -> None:
    source = sparse(tmp_path / "large")
    before = resident()
    sent, received = [before], [before]
    async with open_system(environment=Hasty()), memory() as (here, there), trio.open_nursery() as nursery:
        nursery.start_soon(partial(here.send_file, source, progress=Seen(highest(sent))))
        await there.receive_file(tmp_path / "copy", progress=Seen(highest(received)))
    assert os.stat(tmp_path / "copy").st_size == _SIZE
    assert max(sent[-1], received[-1]) - before < 32 * _MIB
