import pytest
import trio
import trio.testing

from aip_trio.cli.demo._agenda import Agenda
from aip_trio.cli.demo._jobs import HashFiles, Job, MeasureLoad


def job(name: str) -> Job:
    return HashFiles(id=name, files=())


def load(device: str) -> Job:
    return MeasureLoad(id=f"load-{device}", device=device)


@pytest.mark.trio
async def test_tasks_are_given_in_order_and_then_the_last_ones() -> None:
    agenda = Agenda([job("1"), job("2")], lambda: [job("last")])
    given: list[str] = []
    while (taken := await agenda.take("a")) is not None:
        given.append(taken.id)
        await agenda.done([job("3")] if taken.id == "1" else [])
    assert given == ["1", "2", "3", "last"]
    assert await agenda.take("a") is None


@pytest.mark.trio
async def test_a_task_for_one_device_waits_for_it() -> None:
    agenda = Agenda([load("a"), job("1")], list)
    first = await agenda.take("b")
    assert first is not None
    assert first.id == "1"
    second = await agenda.take("a")
    assert second is not None
    assert second.id == "load-a"


@pytest.mark.trio
async def test_a_task_that_was_lost_is_the_next() -> None:
    agenda = Agenda([job("1"), job("2")], list)
    lost = await agenda.take("a")
    assert lost is not None
    await agenda.again(lost)
    again = await agenda.take("b")
    assert again is lost


@pytest.mark.trio
async def test_who_has_nothing_to_do_waits_for_what_follows(nursery: trio.Nursery) -> None:
    agenda = Agenda([job("1")], list)
    taken = await agenda.take("a")
    assert taken is not None
    got: list[Job | None] = []

    async def wait() -> None:
        got.append(await agenda.take("b"))

    nursery.start_soon(wait)
    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    assert got == []
    await agenda.done([job("2")])
    await trio.testing.wait_all_tasks_blocked()
    assert [each and each.id for each in got] == ["2"]
    await agenda.done([])
    await trio.testing.wait_all_tasks_blocked()
    assert got[1] is None


@pytest.mark.trio
async def test_the_last_tasks_wait_for_those_in_hand() -> None:
    agenda = Agenda([job("1")], lambda: [load("b")])
    await agenda.take("a")
    with trio.move_on_after(0) as scope:
        await agenda.take("b")
    assert scope.cancelled_caught
    await agenda.done([])
    last = await agenda.take("b")
    assert last is not None
    assert last.id == "load-b"
