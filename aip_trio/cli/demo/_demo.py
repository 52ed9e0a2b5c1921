"""The demo from its beginning to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple, Unpack

import trio

from aip_trio.actors import ActorSystem, SupervisorRef
from aip_trio.cli._output import Output
from aip_trio.cli._text import printable
from aip_trio.cli.demo._comparison import compare
from aip_trio.cli.demo._damage import Damage
from aip_trio.cli.demo._fleet import DEVICES, PATIENCE, Fleet, Site
from aip_trio.cli.demo._jobs import Stocktaking, least_jobs
from aip_trio.cli.demo._plain import Glance, look, survey
from aip_trio.cli.demo._process import Processes
from aip_trio.cli.demo._program import Kill
from aip_trio.cli.demo._report import Report, RunReport
from aip_trio.cli.demo._run import Outcome, Run
from aip_trio.cli.demo._scope import Scope
from aip_trio.cli.demo._strike import Aim, Strike, aim
from aip_trio.cli.demo._view import show
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint
from aip_trio.errors import StartCalledOff
from aip_trio.resilience import ReconnectionStrategy

__all__ = ["Demo"]

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class Demo:
    """One demo, of one directory, in one system."""

    def __init__(
        self, root: str, seed: int, system: ActorSystem, processes: Processes, output: Output
    ) -> None:
        self._root = root
        self._seed = seed
        self._system = system
        self._processes = processes
        self._output = output
        self._phase = "starting"
        self._run: Run | None = None

    async def perform(self) -> Report:
        """See what is there, start a fleet, take the inventory three times, and once by plain code."""
        began = trio.current_time()
        scope, before = await _in_thread(survey, self._root)
        self._announce(scope, before)
        jobs = least_jobs(scope, before, len(DEVICES))
        strikes = [(what, aim(what, self._system.environment.random, DEVICES, jobs)) for what in Aim]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(show, self._output, self._system, self._progress)
            constellation = await self._start()
            ready = trio.current_time()
            outcomes = [
                (what, await self._take_inventory(constellation, scope, what, strike))
                for what, strike in strikes
            ]
            self._phase, self._run = "the same by plain code", None
            middle = trio.current_time()
            plain = await _in_thread(look, self._root, scope)
            end = trio.current_time()
            nursery.cancel_scope.cancel()
        return Report(
            root=self._root,
            seed=self._seed,
            scope=scope,
            runs=tuple(
                RunReport(what, outcome, compare(outcome.inventory, plain, before=before))
                for what, outcome in outcomes
            ),
            start_time=ready - began,
            plain_time=end - middle,
            time=end - began,
        )

    async def _start(self) -> ConstellationEndpoint:
        """The processes, and the orchestrator's connections."""
        system = self._system
        token = system.environment.new_id()
        site = Site(self._root, self._processes, token)
        await system.spawn(Fleet, site, name="fleet")
        devices = system.find("/fleet/devices")
        assert isinstance(devices, SupervisorRef)
        for name in DEVICES:
            await devices.start_child_with(name, name=name)
        constellation = ConstellationEndpoint(
            "inventory",
            reconnection_strategy=ReconnectionStrategy(
                None, initial_backoff=0.1, max_backoff=1.0, jitter=True
            ),
            token=token,
        )
        await constellation.start()
        with trio.move_on_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for name in DEVICES:
                    profile = AgentProfile(device_id=name, server_url=site.url)
                    nursery.start_soon(_connect, constellation, profile)
            return constellation
        late = [name for name in DEVICES if not constellation.is_device_connected(name)] or DEVICES
        raise ExceptionGroup("the fleet is not complete", [site.not_up(name) for name in late])

    async def _take_inventory(
        self, constellation: ConstellationEndpoint, scope: Scope, what: Aim, strike: Strike | None
    ) -> Outcome:
        self._phase = what.value
        self._output.line(f"run        {what.value}")
        stock = Stocktaking(scope, self._system.environment.new_id)
        damage = Damage(strike, DEVICES, self._kill)
        self._run = Run(constellation, DEVICES, stock, damage, self._output.line)
        return await self._run.perform()

    async def _kill(self, name: str) -> int:
        program = self._system.find(f"/fleet/{name}") or self._system.find(f"/fleet/devices/{name}")
        assert program is not None
        pid = await program.ask(Kill())
        self._output.line(f"killed     {name} (pid {pid})")
        return pid

    def _announce(self, scope: Scope, before: Glance) -> None:
        self._output.line(
            f"inventory of {printable(self._root)}: about {len(before.stamps):,} files, seed {self._seed}"
        )
        for limit in scope.limits():
            self._output.line(limit)

    def _progress(self) -> str:
        return self._phase if self._run is None else f"{self._phase}: {self._run}"


async def _connect(constellation: ConstellationEndpoint, profile: AgentProfile) -> None:
    try:
        await constellation.connect_to_device(profile)
    except StartCalledOff:  # the system ends, with an error that says why: it is about to cancel this
        await trio.sleep_forever()


async def _in_thread(work: Callable[[Unpack[Ts], Callable[[], None]], R], *arguments: *Ts) -> R:
    """Do it in a worker thread, which ends early when the task is cancelled."""
    return await trio.to_thread.run_sync(work, *arguments, trio.from_thread.check_cancelled)
