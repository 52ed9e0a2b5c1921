"""A connection that waits longer before each try, while its mailbox goes on taking messages.

Prints::

    try 1: refused
    failed: could not start /impatient: OSError: refused
    try 1: connected
    try 2: refused
    try 3: refused
    try 4: connected
    sent: kept over the outage
    the longest waits: 0.05, 0.1, 0.2, 0.2

Logs::

    /connection crashed
    ConnectionResetError: lost
    /connection crashed
    OSError: refused
    /connection crashed
    OSError: refused
"""

from itertools import count

import attrs
import trio

from aip_trio import Actor, Backoff, Request, StartFailed, handles, open_system

BACKOFF = Backoff(initial=0.05, multiplier=2, maximum=0.2, max_retries=5)


@attrs.frozen
class Send(Request[str]):
    text: str


@attrs.frozen
class Break:
    pass


class Connection(Actor):
    def __init__(self, tries: "count[int]", refused: set[int]) -> None:
        self.tries, self.refused = tries, refused

    async def started(self) -> None:
        number = next(self.tries)
        if number in self.refused:
            print(f"try {number}: refused")
            raise OSError("refused")
        print(f"try {number}: connected")

    @handles
    async def send(self, message: Send) -> str:
        return f"sent: {message.text}"

    @handles
    async def lose(self, message: Break) -> None:
        raise ConnectionResetError("lost")


async def main() -> None:
    async with open_system() as system:
        try:  # a first start that fails is its caller's to deal with: nothing is retried
            await system.spawn(Connection, count(1), {1}, name="impatient", backoff=BACKOFF)
        except StartFailed as failed:
            print("failed:", failed)
        connection = await system.spawn(Connection, count(1), {2, 3}, name="connection", backoff=BACKOFF)
        await connection.tell(Break())
        print(await connection.ask(Send("kept over the outage")))
    print("the longest waits:", ", ".join(str(BACKOFF.ceiling(failures)) for failures in range(1, 5)))


if __name__ == "__main__":
    trio.run(main)
