"""An actor that is a process: restarted when that is killed, and gone when the actor is."""

import os
from collections.abc import Callable, Generator, Sequence
from functools import partial

import psutil
import pytest
import trio

from aip_trio.actors import ActorRef, Backoff, ChildSpec, Restarted, Supervisor, open_system
from aip_trio.cli.demo._fleet import DEVICES, Fleet, Site
from aip_trio.cli.demo._process import Processes
from aip_trio.cli.demo._program import Kill, Program

Born = Callable[[], list[psutil.Process]]


class Server(Program):
    def arguments(self) -> Sequence[str]:
        return ["server", "--port", "0"]


class Refused(Program):
    def arguments(self) -> Sequence[str]:
        return ["server", "--host", "nonsense"]


@pytest.fixture
def processes() -> Generator[Processes]:
    with Processes() as processes:
        yield processes


async def kill(ref: ActorRef) -> int:
    with trio.fail_after(30):
        return await ref.ask(Kill())


@pytest.mark.trio
async def test_a_killed_process_comes_back_and_ends_with_its_actor(processes: Processes, born: Born) -> None:
    async with open_system() as system:
        backoff = Backoff(initial=0.01, jitter=False)
        ref = await system.spawn(
            Server, processes, processes.share(), name="program", restart="permanent", backoff=backoff
        )
        with system.events.subscribe() as events, trio.fail_after(30):
            first = await kill(ref)
            async for event in events:
                if isinstance(event, Restarted):
                    break
        (node,) = system.tree().children
        assert node.restarts == 1
        assert node.last_crash == f"ProgramEnded: program (pid {first}) was killed by SIGKILL"
        (child,) = born()
        assert child.pid != first
    assert not psutil.pid_exists(child.pid)


@pytest.mark.trio
async def test_one_that_cannot_run_is_given_up_with_what_it_said_last(processes: Processes) -> None:
    spec = ChildSpec(
        "program", Refused, processes, processes.share(), backoff=Backoff(initial=0.01, max_retries=1)
    )
    with pytest.raises(Exception, match="gave up") as raised, trio.fail_after(60):
        async with open_system(intensity=0) as system:
            await system.spawn(partial(Supervisor, spec), name="fleet")
            await trio.sleep_forever()
    assert "ended with exit status 2: aip-trio: error: host='nonsense'" in str(raised.value)


@pytest.mark.trio
async def test_a_fleet_has_a_server_with_a_port_and_its_devices(processes: Processes, born: Born) -> None:
    site = Site("/", processes, "token")
    async with open_system() as system:
        await system.spawn(Fleet, site, name="fleet")
        assert site.url == f"ws://127.0.0.1:{site.port}/ws"
        assert site.port > 0
        (fleet,) = system.tree().children
        assert [child.name for child in fleet.children] == ["server", "devices"]
    assert born() == []
    assert len(DEVICES) == 3


def test_what_has_not_come_up_is_told_with_its_last_words(processes: Processes) -> None:
    site = Site("/", processes, "token")
    assert str(site.not_up("device-1")) == "device-1 has not come up within 45 s: it said nothing"
    os.write(site.logs["device-1"].fileno(), b"first\nlast\n")
    assert str(site.not_up("device-1")) == "device-1 has not come up within 45 s: last"
