"""The shell that every command runs in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import attrs
import trio

from aip_trio.actors import ActorSystem, Environment, open_system
from aip_trio.cli._errors import Interrupted, OutputClosed
from aip_trio.cli._logs import Log
from aip_trio.cli._output import Output
from aip_trio.cli._settings import Settings
from aip_trio.cli._signals import Interruption, receive_signals

__all__ = ["Shell"]

R = TypeVar("R")


@attrs.frozen
class Shell:
    """What a command is given: what was asked for, and where to say what it found."""

    settings: Settings
    output: Output
    log: Log

    def run(
        self,
        command: Callable[[ActorSystem], Awaitable[R]],
        *,
        environment: Environment | None = None,
        intensity: int = 3,
        period: float = 5.0,
        cancel_grace: float = 5.0,
    ) -> R:
        """Run ``command(system)`` on Trio, inside of `open_system`, and return what it returns.

        SIGINT or SIGTERM cancels the command, and the tree stops in order; a second one cancels the tree
        too, which then has ``cancel_grace`` seconds. Raises Interrupted after that, and OutputClosed when
        nobody reads the output any more; what the command or its tree raises, in an ExceptionGroup.
        """
        interruption = Interruption()
        results: list[R] = []

        async def conduct() -> None:
            with interruption.everything:
                async with open_system(
                    environment=environment, intensity=intensity, period=period, cancel_grace=cancel_grace
                ) as system:
                    with interruption.command:
                        results.append(await command(system))

        self.output.on_closed = interruption.command.cancel
        try:
            trio.run(_listening, interruption, conduct)
        finally:
            self.output.on_closed = _nothing
        if interruption.command.cancelled_caught or interruption.everything.cancelled_caught:
            raise OutputClosed if interruption.first is None else Interrupted(interruption.first)
        return results[0]


async def _listening(interruption: Interruption, conduct: Callable[[], Awaitable[None]]) -> None:
    """Take signals for as long as the system runs, its end included."""
    with receive_signals() as signals:
        async with trio.open_nursery() as nursery:
            if signals is not None:
                nursery.start_soon(_listen, interruption, signals)
            await conduct()
            nursery.cancel_scope.cancel()


async def _listen(interruption: Interruption, signals: AsyncIterator[int]) -> None:
    async for number in signals:
        interruption.interrupt(number)


def _nothing() -> None:
    pass
