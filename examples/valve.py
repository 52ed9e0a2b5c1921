"""A protocol as a table, an actor that keeps to it, and the test that walks the table on the actor.

Prints::

    machine 'valve': event OPEN is illegal in state LOCKED; legal here: UNLOCK
    tests run: 2, all passed: True
"""

import unittest
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum

import attrs
import hypothesis

from aip_trio import Actor, ActorRef, IllegalTransition, Reply, Request, handles, open_system
from aip_trio.machine import Machine
from aip_trio.testing import async_machine_test

Valve = Enum("Valve", ["SHUT", "OPEN", "LOCKED"])
Turn = Enum("Turn", ["OPEN", "SHUT", "LOCK", "UNLOCK"])

VALVE = Machine(
    "valve",
    initial=Valve.SHUT,
    table={
        Valve.SHUT: {Turn.OPEN: Valve.OPEN, Turn.LOCK: Valve.LOCKED},
        Valve.OPEN: {Turn.SHUT: Valve.SHUT},
        Valve.LOCKED: {Turn.UNLOCK: Valve.SHUT},
    },
)


@attrs.frozen
class Do(Request[Valve]):
    turn: Turn


@attrs.frozen
class Where(Request[Valve]):
    pass


class ValveActor(Actor):
    def __init__(self) -> None:
        self.life = VALVE.start()

    @handles
    async def turn(self, message: Do, reply: Reply[Valve]) -> None:
        try:
            state = self.life.fire(message.turn)  # the table first, then the motor
        except IllegalTransition as refusal:
            reply.fail(refusal)  # raised here, it would be a crash
        else:
            reply.send(state)

    @handles
    async def where(self, message: Where) -> Valve:
        return self.life.state


@attrs.frozen
class Driven:
    """The actor as the harness drives it: a state to look at, and events to fire."""

    ref: ActorRef

    @property
    async def state(self) -> Valve:
        return await self.ref.ask(Where())

    async def fire(self, event: Turn) -> None:
        await self.ref.ask(Do(event))


@asynccontextmanager
async def open_valve() -> AsyncGenerator[Driven]:
    async with open_system() as system:
        yield Driven(await system.spawn(ValveActor))


TestValve = async_machine_test(VALVE, open_valve, settings=hypothesis.settings(max_examples=20))

if __name__ == "__main__":
    try:
        VALVE.next(Valve.LOCKED, Turn.OPEN)
    except IllegalTransition as refusal:
        print(refusal)
    result = unittest.defaultTestLoader.loadTestsFromTestCase(TestValve).run(unittest.TestResult())
    print(f"tests run: {result.testsRun}, all passed: {result.wasSuccessful()}")
