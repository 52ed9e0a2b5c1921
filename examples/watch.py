"""Watching a system: its events and dead letters, every step of a message, a picture of its tree.

Prints::

    Started /printer
    DeadLetter /printer: Print(page=2), crashed
    Crashed /printer: OSError('paper jam')
    Restarted /printer: 1
    DeadLetter /printer: Staple(), unhandled
    Stopped /printer
    page 3: sent, taken, handled
    /  root  running
    └─ printer  Printer  running  handled=3  restarts=1  last crash: OSError: paper jam

Logs::

    /printer crashed
    OSError: paper jam
    actor /printer has no handler for Staple(); it handles Print
"""

import attrs
import trio

from aip_trio import (
    Actor,
    ActorRef,
    ActorSystem,
    Crashed,
    DeadLetter,
    Envelope,
    Request,
    Restarted,
    Step,
    handles,
    open_system,
)


@attrs.frozen
class Print(Request[int]):
    page: int


@attrs.frozen
class Staple:
    pass


class Printer(Actor):
    @handles
    async def print_page(self, message: Print) -> int:
        if message.page == 2:
            raise OSError("paper jam")
        return message.page


class Flight:
    """An observer is any object with this method."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def observe(self, step: Step, ref: ActorRef, envelope: Envelope) -> None:
        if envelope.message == Print(3):
            self.steps.append(step.value)


async def follow(system: ActorSystem, task_status: trio.TaskStatus[None]) -> None:
    with system.events.subscribe() as events:
        task_status.started()
        async for event in events:  # ends when the system has closed
            match event:
                case Crashed(error=error):
                    print(f"Crashed {event.path}: {error!r}")
                case Restarted(restarts=restarts):
                    print(f"Restarted {event.path}: {restarts}")
                case DeadLetter(message=message, reason=reason):
                    print(f"DeadLetter {event.path}: {message}, {reason.value}")
                case _:
                    print(type(event).__name__, event.path)


async def main() -> None:
    flight = Flight()
    async with trio.open_nursery() as outside, open_system(observer=flight) as system:
        await outside.start(follow, system)  # in a nursery around the system, it sees the end as well
        printer = await system.spawn(Printer, name="printer")
        for message in (Print(1), Print(2), Staple(), Print(3)):
            await printer.tell(message)
        await printer.ask(Print(4))
        tree = system.tree()
    print("page 3:", ", ".join(flight.steps))
    print(tree)


if __name__ == "__main__":
    trio.run(main)
