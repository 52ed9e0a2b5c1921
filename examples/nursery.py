"""The same work twice: as tasks of a plain Trio nursery, and as supervised actors.

Prints::

    nursery: sample 1
    nursery: ended by ValueError('sample 2 is garbled')
    actors: sample 1
    actors: sample 3

Logs::

    /sampler crashed
    ValueError: sample 2 is garbled
"""

from collections.abc import Iterator
from itertools import count

import attrs
import trio

from aip_trio import Actor, ActorRef, Request, handles, open_system


def sample(numbers: Iterator[int]) -> int:
    number = next(numbers)
    if number == 2:
        raise ValueError("sample 2 is garbled")
    return number


async def sampler(numbers: Iterator[int], channel: trio.MemorySendChannel[int]) -> None:
    while True:
        await channel.send(sample(numbers))
        await trio.sleep(0.01)


async def recorder(channel: trio.MemoryReceiveChannel[int]) -> None:
    async for number in channel:
        print("nursery: sample", number)


async def as_tasks() -> None:
    send, receive = trio.open_memory_channel[int](16)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(recorder, receive)
            nursery.start_soon(sampler, count(1), send)
    except* ValueError as group:
        print("nursery: ended by", repr(group.exceptions[0]))


@attrs.frozen
class Sample(Request[None]):
    number: int


@attrs.frozen
class Tick:
    pass


class Recorder(Actor):
    @handles
    async def record(self, message: Sample) -> None:
        print("actors: sample", message.number)


class Sampler(Actor):
    def __init__(self, numbers: Iterator[int], recorder: ActorRef) -> None:
        self.numbers, self.recorder = numbers, recorder

    async def started(self) -> None:
        self.every(0.01, Tick())

    @handles
    async def take(self, message: Tick) -> None:
        number = sample(self.numbers)
        await self.recorder.ask(Sample(number))
        if number == 3:
            self.stop()


async def as_actors() -> None:
    async with open_system() as system:
        recorder = await system.spawn(Recorder, name="recorder")
        sampler = await system.spawn(Sampler, count(1), recorder, name="sampler")
        await sampler.stopped()


if __name__ == "__main__":
    trio.run(as_tasks)
    trio.run(as_actors)
