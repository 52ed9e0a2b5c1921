"""One run: the fleet takes the inventory, and one of it may be killed in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import cast

import attrs
import trio

from aip_trio.actors import Backoff
from aip_trio.cli.demo._agenda import Agenda
from aip_trio.cli.demo._damage import Damage
from aip_trio.cli.demo._inventory import Inventory
from aip_trio.cli.demo._jobs import Command, Job, Load, Stocktaking
from aip_trio.cli.demo._ledger import Ledger
from aip_trio.endpoints import ConstellationEndpoint, TaskRequest
from aip_trio.errors import AipError, DeviceInfoUnavailable, DeviceNotConnected, OperationTimeout

__all__ = ["Outcome", "Overdue", "Run"]

#: Tasks that one device has in hand at a time: while one is done, the next is on its way.
_LANES = 2

#: Seconds that one attempt at a task may take, and a whole run.
_TASK, _RUN = 20.0, 90.0

#: How often a device that is gone is asked whether it is back.
_PROBES = Backoff(initial=0.05, maximum=0.2, jitter=False, max_retries=None)


@attrs.define(slots=False)
class Overdue(AipError):
    """A run did not come to its end."""

    seconds: float
    done: int
    asked: int
    last_failure: str

    def __str__(self) -> str:
        return (
            f"{self.done} of {self.asked} tasks were done within {self.seconds:g} s; what failed last:"
            f" {self.last_failure}"
        )


@attrs.frozen(kw_only=True)
class Outcome:
    """What a run came to. Times in seconds; ``recovery``: until all that were hit answered again."""

    inventory: Inventory
    loads: dict[str, Load]
    asked: int
    done: int
    done_by: dict[str, int]
    retried: int
    killed: str | None
    recovery: float | None
    time: float


class Run:
    """Asks devices for tasks, and asks again where one was lost, on whichever device is up.

    A task that is asked for again keeps its session_id. It may be done twice, which does no harm here: its
    outcome is written down once.
    """

    def __init__(
        self,
        constellation: ConstellationEndpoint,
        devices: Sequence[str],
        stock: Stocktaking,
        damage: Damage,
        tell: Callable[[str], None],
    ) -> None:
        self._constellation = constellation
        self._devices = devices
        self._stock = stock
        self._damage = damage
        self._tell = tell
        self._ledger = Ledger()
        self._closing = False
        #: devices that have lost a task, and have not answered since
        self._gone: set[str] = set()
        self._agenda = Agenda(self._noted([*map(stock.measure, devices), stock.begin()]), self._last)
        self._last_failure = "nothing"

    def __str__(self) -> str:
        ledger = self._ledger
        return f"{self._stock.files:,} files, {ledger.done:,} tasks, {ledger.retried} of them asked for again"

    async def perform(self) -> Outcome:
        """Do it. A checkpoint. Raises Overdue, SettledTwice."""
        began = trio.current_time()
        with trio.move_on_after(_RUN):
            async with trio.open_nursery() as nursery:
                for device in self._devices:
                    for _ in range(_LANES):
                        nursery.start_soon(self._lane, device, nursery)
            for device in self._damage.missing:
                await self._return_of(device)
            return self._outcome(trio.current_time() - began)
        raise Overdue(_RUN, self._ledger.done, self._ledger.asked, self._last_failure)

    def _outcome(self, seconds: float) -> Outcome:
        ledger = self._ledger
        return Outcome(
            inventory=self._stock.inventory,
            loads=self._stock.loads,
            asked=ledger.asked,
            done=ledger.done,
            done_by={device: ledger.done_by(device) for device in self._devices},
            retried=ledger.retried,
            killed=self._damage.killed,
            recovery=self._damage.recovery,
            time=seconds,
        )

    def _noted(self, jobs: Iterable[Job]) -> list[Job]:
        noted = list(jobs)
        for job in noted:
            self._ledger.ask(job.id)
        return noted

    def _last(self) -> list[Job]:
        """Everybody proves once more to be there."""
        self._closing = True
        return self._noted(map(self._stock.measure, self._devices))

    async def _lane(self, device: str, nursery: trio.Nursery) -> None:
        """Have tasks done by this device, one after the other, as long as there are any."""
        while (job := await self._agenda.take(device)) is not None:
            if device in self._gone:
                await self._agenda.again(job)
                await self._return_of(device)
                continue
            if self._damage.due(device, last=self._closing):
                nursery.start_soon(self._damage.strike)
            sent = trio.current_time()
            results = await self._ask(job, device)
            if results is None:
                self._ledger.retry(job.id)
                self._gone.add(device)
                await self._agenda.again(job)
                await self._return_of(device)
            else:
                self._ledger.settle(job.id, device)
                self._damage.served(device, sent)
                await self._agenda.done(self._noted(self._stock.take(job, results)))

    async def _ask(self, job: Job, device: str) -> Sequence[Command] | None:
        """One result for each command; None where the task was lost on the way. A checkpoint."""
        await trio.lowlevel.checkpoint()
        commands = job.commands()
        order = TaskRequest(
            task_id=job.id, request=type(job).__name__, metadata={"commands": commands}, timeout=_TASK
        )
        try:
            done = await self._constellation.send_task_to_device(device, order)
        except (DeviceNotConnected, OperationTimeout) as error:
            self._failed(job, device, str(error))
            return None
        found: object = done.result
        results = cast("list[Command]", found) if isinstance(found, list) else []
        if len(results) != len(commands):
            self._failed(job, device, str(done.error))
            return None
        return results

    def _failed(self, job: Job, device: str, reason: str) -> None:
        self._last_failure = f"task {job.id} on {device}: {reason}"
        self._tell(f"lost       {job.title} on {device}: {reason}")

    async def _return_of(self, device: str) -> None:
        """Until this device answers. A checkpoint."""
        asked = 0
        while True:
            sent = trio.current_time()
            try:
                await self._constellation.device_info(device)
            except (DeviceInfoUnavailable, DeviceNotConnected, OperationTimeout):
                asked += 1
                await trio.sleep(_PROBES.delay(asked, 0.0))
            else:
                self._gone.discard(device)
                self._damage.served(device, sent)
                return
