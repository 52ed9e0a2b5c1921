from pathlib import Path

import pytest
import trio
import trio.testing

from aip_trio.actors import ActorRef, open_system
from aip_trio.cli.demo._collector import Collector
from aip_trio.cli.demo._inventory import Entry, Findings, Inventory, Stamp
from aip_trio.cli.demo._journal import Journal
from aip_trio.cli.demo._messages import Everything, Hash, Record, Tally
from aip_trio.cli.demo._sabotage import Hit, Manner, Sabotage
from aip_trio.cli.demo._worker import Worker
from aip_trio.errors import ActorCrashed


def found(path: str, size: int = 1, digest: str = "00") -> Findings:
    return Findings((Entry(path, Stamp(size, 2, 3), digest),))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


async def struck(victim: ActorRef, manner: Manner, nursery: trio.Nursery) -> trio.Event:
    """Send a hit, and tell when it has hit."""
    hit = trio.Event()

    async def ask(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        with pytest.raises(ActorCrashed) as raised:
            await victim.ask(Hit(manner))
        assert isinstance(raised.value.__cause__, Sabotage)
        hit.set()

    await nursery.start(ask)
    return hit


@pytest.mark.trio
async def test_what_was_answered_survives_a_crash(journal: Journal, nursery: trio.Nursery) -> None:
    async with open_system() as system:
        collector = await system.spawn(Collector, journal)
        assert await collector.ask(Record(found("a", 5))) == Tally(1, 5)
        await (await struck(collector, Manner.AT_ONCE, nursery)).wait()
        assert await collector.ask(Record(found("b", 6))) == Tally(2, 11)
        assert (await collector.ask(Everything())).entries.keys() == {"a", "b"}


@pytest.mark.trio
async def test_a_crash_between_journal_and_answer_loses_and_doubles_nothing(
    journal: Journal, nursery: trio.Nursery
) -> None:
    async with open_system() as system:
        collector = await system.spawn(Collector, journal)
        hit = await struck(collector, Manner.AT_WORK, nursery)
        with pytest.raises(ActorCrashed):
            await collector.ask(Record(found("a", 5)))
        await hit.wait()
        assert list(journal.replay()) == [found("a", 5)]  # it was in the middle of its work
        assert await collector.ask(Record(found("a", 5))) == Tally(1, 5)


@pytest.mark.trio
async def test_the_later_look_at_a_path_counts(journal: Journal) -> None:
    gone = Findings((), (("a", "EACCES"),))
    async with open_system() as system:
        collector = await system.spawn(Collector, journal)
        await collector.ask(Record(found("a", 5)))
        assert await collector.ask(Record(found("a", 7, "11"))) == Tally(1, 7)
        assert await collector.ask(Record(gone)) == Tally(0, 0)
        assert await collector.ask(Everything()) == Inventory({}, {"a": "EACCES"})
        await collector.ask(Record(found("a", 5)))
        assert await collector.ask(Everything()) == Inventory({"a": found("a", 5).entries[0]}, {})


@pytest.mark.trio
async def test_a_worker_is_hit_in_the_middle_of_its_work(tmp_path: Path, nursery: trio.Nursery) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(10**12)  # it would take for ever
    (tmp_path / "small").touch()
    async with open_system() as system:
        worker = await system.spawn(Worker, str(tmp_path), trio.CapacityLimiter(1))
        hit = await struck(worker, Manner.AT_WORK, nursery)
        await trio.testing.wait_all_tasks_blocked()
        assert not hit.is_set()  # it waits for work
        with pytest.raises(ActorCrashed):
            await worker.ask(Hash(("huge",)))
        await hit.wait()
        assert [entry.path for entry in (await worker.ask(Hash(("small",)))).entries] == ["small"]


@pytest.mark.trio
async def test_a_brutally_stopped_worker_ends_within_a_chunk(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(10**12)
    with trio.fail_after(5):
        async with open_system() as system:
            worker = await system.spawn(Worker, str(tmp_path), trio.CapacityLimiter(1), shutdown="brutal")
            await worker.tell(Hash(("huge",)))
            await trio.testing.wait_all_tasks_blocked()
