import logging

import pytest
import trio
import trio.testing

from aip_trio.actors import ActorSystem, Event, Started, open_system
from aip_trio.cli._errors import GaveUp
from aip_trio.cli._failures import leaves
from aip_trio.cli.fleet._serving import serve
from aip_trio.endpoints import DeviceServerEndpoint


def tell(event: Event) -> str | None:
    return f"{event.path} has started" if isinstance(event, Started) and event.path == "/server" else None


async def run(system: ActorSystem, endpoint: DeviceServerEndpoint, ready: trio.Event) -> None:
    await serve(system, endpoint, ready=ready.set, tell=tell, end_with_stdin=False)


@pytest.mark.trio
async def test_an_endpoint_that_ends_by_itself_is_a_failure() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with open_system() as system, trio.open_nursery() as nursery:
            endpoint, ready = DeviceServerEndpoint(port=0), trio.Event()
            nursery.start_soon(run, system, endpoint, ready)
            await ready.wait()
            await endpoint.stop()
    (leaf,) = leaves(raised.value)
    assert isinstance(leaf, GaveUp)
    assert str(leaf) == "the server has given up: see the log above for why, and start it again"


@pytest.mark.trio
async def test_what_happens_is_told_in_the_log_until_it_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with open_system() as system:
        async with trio.open_nursery() as nursery:
            ready = trio.Event()
            nursery.start_soon(run, system, DeviceServerEndpoint(port=0), ready)
            await ready.wait()
            await trio.testing.wait_all_tasks_blocked(0.01)
            nursery.cancel_scope.cancel()
        assert system.find("/server") is not None  # the system ends it, in order
    assert [record.message for record in caplog.records if record.name == "aip_trio.cli"] == [
        "/server has started"
    ]
