"""A supervised instrument: when its port crashes, the port and what depends on it start again.

Prints::

    port opened
    meter ready
    measured 205
    ActorCrashed: no measurement
    port opened
    meter ready
    measured 210
    log: 0 restarts
    port: 1 restarts
    meter: 1 restarts

Logs::

    /instrument/port crashed
    OSError: no answer
    /instrument/meter crashed: ActorCrashed: actor /instrument/port crashed while it handled Read() (…
"""

from collections.abc import Iterator

import attrs
import trio

from aip_trio import Actor, ActorCrashed, ChildSpec, Request, Supervisor, handles, open_system


@attrs.frozen
class Read(Request[int]):
    pass


class Log(Actor):
    """Depends on nothing, and stays."""


class Port(Actor):
    def __init__(self, wire: Iterator[int | None]) -> None:
        self.wire = wire

    async def started(self) -> None:
        print("port opened")

    @handles
    async def read(self, message: Read) -> int:
        value = next(self.wire)
        if value is None:
            raise OSError("no answer")
        return value


class Meter(Actor):
    async def started(self) -> None:
        port = self.system.find("/instrument/port")
        assert port is not None  # it is up: it comes before the meter
        self.port = port
        print("meter ready")

    @handles
    async def read(self, message: Read) -> int:
        return await self.port.ask(Read())


class Instrument(Supervisor):
    def __init__(self, wire: Iterator[int | None]) -> None:
        specs = ChildSpec("log", Log), ChildSpec("port", Port, wire), ChildSpec("meter", Meter)
        super().__init__(*specs, strategy="rest_for_one")  # what crashes starts again, and all after it


async def main() -> None:
    wire = iter([205, None, 210])
    async with open_system() as system:
        instrument = await system.spawn(Instrument, wire, name="instrument")
        meter = instrument.which_children()[-1].ref
        for _ in range(3):
            try:
                print("measured", await meter.ask(Read()))
            except ActorCrashed as crash:
                print(f"{type(crash).__name__}: no measurement")
        for child in system.tree().children[0].children:
            print(f"{child.name}: {child.restarts} restarts")


if __name__ == "__main__":
    trio.run(main)
