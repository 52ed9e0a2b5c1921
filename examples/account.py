"""An account: told deposits, asked for its balance, able to refuse.

Prints::

    balance: 105
    after a withdrawal: 65
    refused: 65 in the account, 1000 wanted
    balance: 65
"""

import attrs
import trio

from aip_trio import Actor, Reply, Request, handles, open_system


@attrs.frozen
class Deposit:
    amount: int


@attrs.frozen
class Balance(Request[int]):  # its answer's type travels with it: ask() gives an int
    pass


@attrs.frozen
class Withdraw(Request[int]):
    amount: int


class Refused(Exception):
    pass


class Account(Actor):
    def __init__(self, opening: int) -> None:
        self.balance = opening

    @handles
    async def deposit(self, message: Deposit) -> None:
        self.balance += message.amount

    @handles
    async def report(self, message: Balance) -> int:
        return self.balance

    @handles
    async def withdraw(self, message: Withdraw, reply: Reply[int]) -> None:
        # An exception raised here would be a crash. A refusal is an answer: it goes to the asker.
        if message.amount > self.balance:
            reply.fail(Refused(f"{self.balance} in the account, {message.amount} wanted"))
            return
        self.balance -= message.amount
        reply.send(self.balance)


async def main() -> None:
    async with open_system() as system:
        account = await system.spawn(Account, 100, name="account")
        await account.tell(Deposit(5))
        print("balance:", await account.ask(Balance()))
        print("after a withdrawal:", await account.ask(Withdraw(40)))
        try:
            await account.ask(Withdraw(1000))
        except Refused as refusal:
            print("refused:", refusal)
        with trio.fail_after(1):  # a deadline belongs to the caller
            print("balance:", await account.ask(Balance()))


if __name__ == "__main__":
    trio.run(main)
