"""Cancelling a function of one's own at every checkpoint, to see that it loses nothing.

Prints::

    hasty: AssertionError: 100 before, 90 after
    careful: nothing is lost
"""

from collections.abc import Awaitable, Callable

import attrs
import trio

from aip_trio import Actor, ActorRef, Request, handles, open_system
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint


@attrs.frozen
class Change(Request[int]):
    """The answer is the new balance."""

    amount: int


class Account(Actor):
    def __init__(self, balance: int) -> None:
        self.balance = balance

    @handles
    async def change(self, message: Change) -> int:
        self.balance += message.amount
        return self.balance


async def hasty(source: ActorRef, target: ActorRef) -> None:
    await source.ask(Change(-10))
    await target.ask(Change(+10))  # never reached, where the line above is cut off


async def careful(source: ActorRef, target: ActorRef) -> None:
    await trio.lowlevel.checkpoint_if_cancelled()
    with trio.CancelScope(shield=True), trio.fail_after(1):  # a bounded shield around what belongs together
        await source.ask(Change(-10))
        await target.ask(Change(+10))


def lose_nothing(transfer: Callable[[ActorRef, ActorRef], Awaitable[None]]) -> None:
    async def scenario(point: CancelPoint) -> None:
        async with open_system() as system:
            source, target = await system.spawn(Account, 100), await system.spawn(Account, 0)
            with point:  # what is in here is cancelled, a little later in each attempt
                await transfer(source, target)
            total = await source.ask(Change(0)) + await target.ask(Change(0))
            assert total == 100, f"100 before, {total} after"

    cancel_at_every_checkpoint(scenario)


def test_a_careful_transfer_loses_nothing() -> None:
    lose_nothing(careful)


if __name__ == "__main__":
    try:
        lose_nothing(hasty)
    except AssertionError as error:
        print(f"hasty: AssertionError: {error}")
    test_a_careful_transfer_loses_nothing()
    print("careful: nothing is lost")
