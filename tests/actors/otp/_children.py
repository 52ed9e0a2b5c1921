"""Children to supervise: what supervisor_1 to supervisor_4 and supervisor_deadlock are to OTP's suite.

Every incarnation has a number of its own, its pid, and tells a journal when it comes up and when its
last task has ended, and why: normal, shutdown, died or killed (its time was over before it was done).
"""

from __future__ import annotations

from itertools import count

import attrs
import trio

from aip_trio.actors import Actor, Ignore, Request, StopReason, handles


@attrs.frozen
class Stop:
    """End normally."""


@attrs.frozen
class Die:
    """Crash, with this message in hand."""


@attrs.frozen
class Kill:
    """Crash in a background task, with no message in hand."""


@attrs.frozen
class Sleep:
    """Be busy for so many seconds; stubbornly: whoever cancels that has to wait."""

    seconds: float
    stubbornly: bool = False


@attrs.frozen
class WhichPid(Request[int]):
    """The number of the incarnation that answers."""


class Died(Exception):
    """What a worker crashes with."""


class Journal:
    """Who came up and who ended, in order: ``+name`` and ``-name reason``."""

    def __init__(self) -> None:
        self.alive: dict[int, str] = {}
        self._lines: list[str] = []
        self._pids = count(1)

    def up(self, name: str) -> int:
        pid = next(self._pids)
        self.alive[pid] = name
        self._lines.append(f"+{name}")
        return pid

    def down(self, pid: int, reason: str) -> None:
        self._lines.append(f"-{self.alive.pop(pid)} {reason}")

    def read(self) -> list[str]:
        """What was written since the last look."""
        lines, self._lines = self._lines, []
        return lines


class Worker(Actor):
    """Does as it is told."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.reason = "killed"
        self.pid = 0

    async def started(self) -> None:
        self.pid = self.journal.up(self.ref.name)
        self.nursery.start_soon(self._live)

    async def _live(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self.journal.down(self.pid, self.reason)

    async def stopping(self, reason: StopReason | BaseException) -> None:
        if reason is StopReason.SHUTDOWN:
            await trio.lowlevel.checkpoint()  # cancelled here where its time is over
            self.reason = "shutdown"

    @handles
    async def end(self, message: Stop) -> None:
        self.reason = "normal"
        self.stop()

    @handles
    async def die(self, message: Die) -> None:
        self.reason = "died"
        raise Died

    @handles
    async def kill(self, message: Kill) -> None:
        self.nursery.start_soon(self._fail)

    async def _fail(self) -> None:
        self.reason = "died"
        raise Died

    @handles
    async def sleep(self, message: Sleep) -> None:
        with trio.CancelScope(shield=message.stubbornly):
            await trio.sleep(message.seconds)

    @handles
    async def tell_pid(self, message: WhichPid) -> int:
        return self.pid


class Ignoring(Worker):
    """Declines to start."""

    def __init__(self, journal: Journal, declines: bool = True) -> None:
        super().__init__(journal)
        self._declines = declines

    async def started(self) -> None:
        if self._declines:
            raise Ignore
        await super().started()


@attrs.define
class Switch:
    """Whether starts fail, and after how many seconds."""

    failing: bool = False
    after: float = 0.0
    attempts: int = attrs.field(init=False, default=0)


class Flaky(Worker):
    """Its start fails while the switch says so."""

    def __init__(self, journal: Journal, switch: Switch) -> None:
        super().__init__(journal)
        self._switch = switch

    async def started(self) -> None:
        self._switch.attempts += 1
        if self._switch.failing:
            await trio.sleep(self._switch.after)
            raise Died
        await super().started()


class OnceOnly(Worker):
    """Starts once, and then never again."""

    def __init__(self, journal: Journal, switch: Switch) -> None:
        super().__init__(journal)
        self._switch = switch

    async def started(self) -> None:
        self._switch.attempts += 1
        if self._switch.attempts > 1:
            raise Died
        await super().started()


class Slow(Worker):
    """Takes its time to stop."""

    def __init__(self, journal: Journal, seconds: float) -> None:
        super().__init__(journal)
        self._seconds = seconds

    async def stopping(self, reason: StopReason | BaseException) -> None:
        await trio.sleep(self._seconds)
        await super().stopping(reason)


class Odd(Worker):
    """Told to stop, it ends as it was born to: orderly, or with a crash."""

    def __init__(self, journal: Journal, crashes: bool) -> None:
        super().__init__(journal)
        self._crashes = crashes

    async def stopping(self, reason: StopReason | BaseException) -> None:
        if self._crashes:
            self.reason = "died"
            raise Died
        await super().stopping(reason)


class Carrying(Worker):
    """Is started with something large, and does not keep it."""

    def __init__(self, journal: Journal, load: object) -> None:
        super().__init__(journal)


@attrs.define(eq=False)
class Knock:
    """A child that waits for leave to start."""

    name: str
    answered: trio.Event = attrs.field(factory=trio.Event)
    error: Exception | None = None

    def answer(self, error: Exception | None = None) -> None:
        """Let it start, or fail with this."""
        self.error = error
        self.answered.set()


class Door:
    """Where children wait for leave to start, in order."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[Knock](100)

    async def knock(self, name: str) -> None:
        knock = Knock(name)
        self._send.send_nowait(knock)
        await knock.answered.wait()
        if knock.error is not None:
            raise knock.error

    async def next(self) -> Knock:
        return await self._receive.receive()


class Asking(Worker):
    """Asks for leave to start."""

    def __init__(self, journal: Journal, door: Door) -> None:
        super().__init__(journal)
        self._door = door

    async def started(self) -> None:
        await self._door.knock(self.ref.name)
        await super().started()
