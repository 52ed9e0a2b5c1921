"""Answering later: slow requests run side by side, and hold up neither the mailbox nor each other.

Prints::

    under way: 2
    slept 0.2
    slept 0.4
    ValueError: seconds=-1
    ReplyDropped: no answer
"""

import attrs
import trio

from aip_trio import Actor, ActorRef, Reply, ReplyDropped, Request, handles, open_system


@attrs.frozen
class Sleep(Request[str]):
    seconds: float


@attrs.frozen
class UnderWay(Request[int]):
    pass


@attrs.frozen
class Forget(Request[str]):
    pass


class Sleeper(Actor):
    def __init__(self) -> None:
        self.under_way = 0

    @handles
    async def sleep(self, message: Sleep, reply: Reply[str]) -> None:
        if message.seconds < 0:  # a refusal is an answer, not a crash
            reply.fail(ValueError(f"seconds={message.seconds}"))
        else:
            self.nursery.start_soon(self.work, message.seconds, reply)

    async def work(self, seconds: float, reply: Reply[str]) -> None:
        self.under_way += 1
        await trio.sleep(seconds)
        self.under_way -= 1
        reply.send(f"slept {seconds}")

    @handles
    async def count(self, message: UnderWay) -> int:
        return self.under_way

    @handles
    async def forget(self, message: Forget, reply: Reply[str]) -> None:
        """A mistake: the reply is thrown away. Its asker is told, instead of waiting for ever."""


async def show(sleeper: ActorRef, seconds: float) -> None:
    print(await sleeper.ask(Sleep(seconds)))


async def main() -> None:
    async with open_system() as system:
        sleeper = await system.spawn(Sleeper)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(show, sleeper, 0.4)
            nursery.start_soon(show, sleeper, 0.2)
            await trio.sleep(0.01)
            print("under way:", await sleeper.ask(UnderWay()))  # answered at once
        try:
            await sleeper.ask(Sleep(-1))
        except ValueError as error:
            print(f"ValueError: {error}")
        try:
            await sleeper.ask(Forget())
        except ReplyDropped:
            print("ReplyDropped: no answer")


if __name__ == "__main__":
    trio.run(main)
