"""Two actors that ask each other: the cycle is refused at once; where one of them defers, there is none.

Prints::

    ActorCrashed, because ActorCrashed, because AskCycle
    filled up to 80

Logs::

    /tank crashed
    aip_trio.errors.AskCycle: ask cycle /tank → /hasty → /tank: each waits for the next; …
    /hasty crashed: ActorCrashed: actor /tank crashed while it handled Level(…
"""

from collections.abc import Iterator

import attrs
import trio

from aip_trio import Actor, ActorCrashed, ActorRef, Reply, Request, handles, open_system


@attrs.frozen
class Fill(Request[str]):
    pass


@attrs.frozen
class Level(Request[int]):
    asker: ActorRef


@attrs.frozen
class Limit(Request[int]):
    pass


class Tank(Actor):
    @handles
    async def level(self, message: Level) -> int:
        return await message.asker.ask(Limit())


class Pump(Actor):
    def __init__(self, tank: ActorRef) -> None:
        self.tank = tank

    @handles
    async def limit(self, message: Limit) -> int:
        return 80

    async def level(self) -> int:
        return await self.tank.ask(Level(self.ref))


class HastyPump(Pump):
    @handles
    async def fill(self, message: Fill) -> str:
        return f"filled up to {await self.level()}"


class PatientPump(Pump):
    """The handler returns at once, so that the mailbox goes on, and Limit gets its answer."""

    @handles
    async def fill(self, message: Fill, reply: Reply[str]) -> None:
        self.nursery.start_soon(self.work, reply)

    async def work(self, reply: Reply[str]) -> None:
        reply.send(f"filled up to {await self.level()}")


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


async def main() -> None:
    async with open_system() as system:
        tank = await system.spawn(Tank, name="tank")
        hasty = await system.spawn(HastyPump, tank, name="hasty", restart="temporary")
        try:
            await hasty.ask(Fill())
        except ActorCrashed as crash:
            print(", because ".join(type(error).__name__ for error in causes(crash)))
        patient = await system.spawn(PatientPump, tank, name="patient")
        print(await patient.ask(Fill()))


if __name__ == "__main__":
    trio.run(main)
