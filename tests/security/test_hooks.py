"""Hooks of a program that never return keep nobody's name for ever."""

import pytest
import trio

from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.transport import MemoryNetwork
from tests.endpoints.memory import fleet, memory_peer, virtual
from tests.endpoints.support import until


class Hanging:
    """A manager whose methods return when they are cancelled."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.called: list[str] = []

    async def add_client(self, *facts: object) -> None:
        await self._maybe("add_client")

    async def remove_client(self, client_id: str) -> None:
        await self._maybe("remove_client")

    async def get_device_sessions(self, device_id: str) -> list[str]:
        await self._maybe("get_device_sessions")
        return ["s1", "s2"]

    async def cancel_task(self, session_id: str, *, reason: str) -> None:
        await self._maybe("cancel_task")

    async def _maybe(self, name: str) -> None:
        self.called.append(name)
        if name in self.names:
            await trio.sleep_forever()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("add_client", "Hanging.add_client was cancelled: it did not return within 5 s"),
        ("remove_client", "Hanging.remove_client was cancelled: it did not return within 5 s"),
        # called by the endpoint's own hook, whose time is over in the same moment
        ("get_device_sessions", "on_device_disconnected('dev-1') was cancelled"),
        ("cancel_task", "on_device_disconnected('dev-1') was cancelled"),
    ],
)
def test_a_method_that_hangs_is_cancelled_and_the_client_comes_and_goes(
    name: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    @virtual
    async def test() -> None:
        manager = Hanging(name)
        async with fleet(ws_manager=manager, session_manager=manager, hook_timeout=5) as (_, server, network):
            for _ in range(2):
                client = await memory_peer(network)
                await client.register("dev-1")
                await client.heartbeat()
                await client.cut()
                await until(lambda: not server.devices)
            began = trio.current_time()
            other = await memory_peer(network)
            with trio.fail_after(20):
                await other.register("dev-2")
            assert trio.current_time() - began <= 5
        assert told in caplog.text

    test()


@virtual
async def test_while_one_hangs_another_client_is_not_kept_waiting() -> None:
    async with fleet(ws_manager=Hanging("remove_client")) as (_, server, network):
        client = await memory_peer(network)
        await client.register("dev-1")
        await client.cut()
        await until(lambda: not server.devices)
        began = trio.current_time()
        other = await memory_peer(network)
        await other.register("dev-2")
        assert trio.current_time() - began < 1
        again = await memory_peer(network)
        await again.register("dev-1")  # which is in when the program was told that it had gone
        assert 25 < trio.current_time() - began < 31


def test_an_overridden_hook_that_hangs_is_cancelled_too(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(DeviceServerEndpoint):
        async def on_device_disconnected(self, device_id: str) -> None:
            await trio.sleep_forever()

    @virtual
    async def test() -> None:
        network = MemoryNetwork()
        async with fleet() as (system, _, _):
            server = Stuck(hook_timeout=5)
            await server.start()
            await network.serve("server", server.handle_websocket, nursery=system.nursery)
            for _ in range(3):
                client = await memory_peer(network)
                with trio.fail_after(20):
                    await client.register("dev-1")
                await client.cut()
                await until(lambda: not server.devices)
            await server.stop()

    test()
    assert "on_device_disconnected('dev-1') was cancelled" in caplog.text
