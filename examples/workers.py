"""Workers made as they are needed, from one spec: each is told its job, and ends when it is done.

Prints::

    alpha: 8ed3f6ad
    beta: f44e64e7
    gamma: be9d587d
    attempts: alpha 1, beta 2, gamma 1
    workers left: 0

Logs::

    /pool/beta crashed
    OSError: the disk is tired
"""

import hashlib
from collections import Counter
from functools import partial

import attrs
import trio

from aip_trio import Actor, ActorRef, ChildSpec, Supervisor, handles, open_system


@attrs.frozen
class Digest:
    text: str
    value: str


class Worker(Actor):
    """Hashes one text and tells the result. It works in `started`: a new incarnation takes up the job."""

    def __init__(self, attempts: "Counter[str]", collector: ActorRef, text: str) -> None:
        self.attempts, self.collector, self.text = attempts, collector, text

    async def started(self) -> None:
        self.nursery.start_soon(self.work)  # the worker is up at once; what fails in here is its crash

    async def work(self) -> None:
        self.attempts[self.text] += 1
        if self.text == "beta" and self.attempts["beta"] == 1:
            raise OSError("the disk is tired")
        digest = await trio.to_thread.run_sync(hashlib.sha256, self.text.encode())
        await self.collector.tell(Digest(self.text, digest.hexdigest()[:8]))
        self.stop()  # a normal end: a transient child is not restarted


class Collector(Actor):
    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.found: dict[str, str] = {}

    @handles
    async def collect(self, message: Digest) -> None:
        self.found[message.text] = message.value
        if len(self.found) == self.wanted:
            for text, value in sorted(self.found.items()):
                print(f"{text}: {value}")
            self.stop()


async def main() -> None:
    attempts: Counter[str] = Counter()
    texts = ["alpha", "beta", "gamma"]
    async with open_system() as system:
        collector = await system.spawn(Collector, len(texts), name="collector")
        worker = ChildSpec("worker", Worker, attempts, collector, restart="transient")
        pool = await system.spawn(partial(Supervisor, strategy="simple_one_for_one"), worker, name="pool")
        for text in texts:
            await pool.start_child_with(text, name=text)  # its arguments come after the spec's own
        await collector.stopped()
        print("attempts:", ", ".join(f"{text} {attempts[text]}" for text in texts))
        for child in pool.which_children():
            await child.ref.stopped()
        print("workers left:", pool.count_children().active)


if __name__ == "__main__":
    trio.run(main)
