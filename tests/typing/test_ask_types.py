"""What the type checkers infer: checked by them, and run so that the lines are true as well."""

from typing import Generic, TypeVar, assert_type

import attrs

from aip_trio.actors import Actor, ActorRef, Reply, Request, handles, open_system
from tests.actors.support import virtual

T = TypeVar("T")


@attrs.frozen
class Deposit:
    amount: int


@attrs.frozen
class Balance(Request[int]):
    pass


@attrs.frozen
class Owner(Request[str | None]):
    pass


@attrs.frozen
class Audited(Balance):
    """Its answer's type is inherited."""


@attrs.frozen
class Fetch(Request[T], Generic[T]):
    default: T


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
    async def owner(self, message: Owner, reply: Reply[str | None]) -> None:
        assert_type(reply, Reply[str | None])
        reply.send(None)

    @handles(Fetch)
    async def fetch(self, message: Fetch[T]) -> T:
        return message.default


@virtual
async def test_ask_infers_its_answer_from_the_request() -> None:
    async with open_system() as system:
        account = await system.spawn(Account, 100)
        assert_type(account, ActorRef)
        await account.tell(Deposit(5))
        assert assert_type(await account.ask(Balance()), int) == 105
        assert assert_type(await account.ask(Owner()), str | None) is None
        assert assert_type(await account.ask(Audited()), int) == 105
        assert assert_type(await account.ask(Fetch("text")), str) == "text"


@virtual
async def test_an_answer_fits_where_a_wider_type_is_expected() -> None:
    async with open_system() as system:
        account = await system.spawn(Account, 100)
        answers: list[object] = []
        answers.append(await account.ask(Balance()))
        wider: int | str = await account.ask(Balance())
        assert answers == [wider]


@virtual
async def test_a_handler_keeps_its_own_type() -> None:
    account = Account(1)
    assert_type(await account.report(Balance()), int)
    assert await account.report(Balance()) == 1


async def refused_asks(account: ActorRef) -> None:
    """Never run: each line is refused by both checkers, or they report an ignore without need."""
    await account.ask(Deposit(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await account.ask("balance")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await account.ask(Balance)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await account.ask()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    answer: str = await account.ask(Balance())  # type: ignore[arg-type]  # pyright: ignore
    assert_type(answer, str)


async def refused_replies(reply: Reply[int]) -> None:
    """Never run."""
    reply.send("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reply.fail("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
