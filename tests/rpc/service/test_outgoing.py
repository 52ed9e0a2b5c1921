"""The queue from all threads to the task that publishes."""

import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.rpc.service._outgoing import Message, Outgoing
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint


def message(number: int) -> Message:
    return Message(number, b"", b"", numbered=False, quoted=False)


def topics(outgoing: Outgoing) -> list[int]:
    return [outgoing.take().topic for _ in range(len(outgoing))]


def test_messages_that_belong_together_find_room_together_or_not_at_all() -> None:
    outgoing = Outgoing(3)
    assert outgoing.put(message(1), message(2))
    assert not outgoing.put(message(3), message(4))
    assert outgoing.put(message(5))
    assert not outgoing.put(message(6))
    assert outgoing.dropped == 3
    assert outgoing.put(message(7), past_limit=True)
    assert topics(outgoing) == [1, 2, 5, 7]


def test_a_closed_one_takes_nothing_and_still_gives_what_it_has() -> None:
    outgoing = Outgoing(3)
    assert outgoing.put(message(1))
    outgoing.close()
    assert not outgoing.put(message(2))
    assert not outgoing.put(message(3), past_limit=True)
    assert topics(outgoing) == [1]


@pytest.mark.trio
async def test_who_waits_is_woken_by_its_own_thread_and_by_others() -> None:
    outgoing = Outgoing(10)
    outgoing.open()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outgoing.wait)
            await wait_all_tasks_blocked()
            outgoing.put(message(1))
        async with trio.open_nursery() as nursery:
            outgoing.take()
            nursery.start_soon(outgoing.wait)
            await wait_all_tasks_blocked()
            await trio.to_thread.run_sync(outgoing.put, message(2))
    assert topics(outgoing) == [2]


@pytest.mark.trio
async def test_many_threads_and_one_taker_lose_nothing_and_keep_each_threads_order() -> None:
    outgoing = Outgoing(100_000)
    outgoing.open()
    threads, each = 4, 2000

    def put(first: int) -> None:
        for number in range(first, first + each):
            outgoing.put(message(number))

    workers = [threading.Thread(target=put, args=(index * each,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    taken: list[int] = []
    with trio.fail_after(10):
        while len(taken) < threads * each:
            await outgoing.wait()
            taken += topics(outgoing)
    for worker in workers:
        worker.join()
    for index in range(threads):
        own = [number for number in taken if index * each <= number < (index + 1) * each]
        assert own == list(range(index * each, (index + 1) * each))


def test_a_put_after_the_run_has_ended_is_harmless() -> None:
    outgoing = Outgoing(10)

    async def main() -> None:
        outgoing.open()
        with trio.move_on_after(0):
            await outgoing.wait()

    trio.run(main)
    worker = threading.Thread(target=outgoing.put, args=(message(1),))
    worker.start()
    worker.join()
    assert topics(outgoing) == [1]


def test_a_cancelled_wait_takes_nothing() -> None:
    async def scenario(point: CancelPoint) -> None:
        outgoing = Outgoing(10)
        outgoing.put(message(1))
        outgoing.open()
        with point:
            await outgoing.wait()
        assert topics(outgoing) == [1]

    assert cancel_at_every_checkpoint(scenario) == 1
