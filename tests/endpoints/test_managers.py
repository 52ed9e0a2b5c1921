"""The program's own managers of clients and sessions are told, whether their methods are plain or async."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.transport import MemoryNetwork, MemoryTransport
from tests.endpoints.memory import fleet, memory_peer, virtual
from tests.endpoints.support import until


class Plain:
    """Both managers in one, with plain methods, as wire/aip-api.md names them."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.sessions: dict[str, list[str]] = {}

    def add_client(self, *facts: object) -> None:
        client_id, platform, websocket, client_type, metadata = facts
        assert isinstance(websocket, MemoryTransport)
        self.told.append(("add", client_id, platform, str(client_type), metadata))

    def remove_client(self, client_id: str) -> None:
        self.told.append(("remove", client_id))

    def get_device_sessions(self, device_id: str) -> list[str]:
        return self.sessions.get(device_id, [])

    def cancel_task(self, session_id: str, *, reason: str) -> None:
        self.told.append(("cancel", session_id, reason))


class Slow:
    """The same, async, and taking its time."""

    def __init__(self) -> None:
        self.plain = Plain()

    @property
    def told(self) -> list[tuple[object, ...]]:
        return self.plain.told

    @property
    def sessions(self) -> dict[str, list[str]]:
        return self.plain.sessions

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self.plain, name)

        async def call(*args: object, **options: object) -> Any:
            await trio.sleep(1)
            return method(*args, **options)

        return call


@pytest.mark.parametrize("make", [Plain, Slow])
def test_they_are_told_of_clients_and_of_the_sessions_that_end_with_them(make: type[Plain | Slow]) -> None:
    @virtual
    async def test() -> None:
        manager = make()
        async with fleet(ws_manager=manager, session_manager=manager) as (_, _, network):
            client, orch = await memory_peer(network), await memory_peer(network)
            await client.register("dev-1", metadata={"platform": "linux"})
            assert manager.told == [("add", "dev-1", "linux", "device", {"platform": "linux"})]
            await orch.register("orch", "constellation", target_id="dev-1")
            assert manager.told[1:] == [("add", "orch", None, "constellation", None)]
            manager.sessions["dev-1"] = ["s1", "s2"]
            manager.sessions["orch"] = ["s3"]
            del manager.told[:]
            await client.cut()
            await until(lambda: len(manager.told) == 3)
            assert manager.told == [
                ("cancel", "s1", "device_disconnected"),
                ("cancel", "s2", "device_disconnected"),
                ("remove", "dev-1"),
            ]
            del manager.told[:]
            await orch.close()
            await until(lambda: len(manager.told) == 2)
            assert manager.told == [("cancel", "s3", "constellation_disconnected"), ("remove", "orch")]

    test()


@virtual
async def test_they_hear_of_a_clients_coming_and_going_in_order_and_others_do_not_wait() -> None:
    manager = Slow()
    async with fleet(ws_manager=manager) as (_, _, network):
        client = await memory_peer(network)
        await client.register("dev-1")
        began = trio.current_time()
        for _ in range(3):
            await client.cut()
            client = await memory_peer(network)
            await client.register("dev-1")
        assert [what for what, *_ in manager.told] == ["add", *["remove", "add"] * 3]
        assert trio.current_time() - began > 3
        began = trio.current_time()

        async def come(number: int) -> None:
            await (await memory_peer(network)).register(f"dev-{number}")

        async with trio.open_nursery() as nursery:
            for number in range(2, 50):
                nursery.start_soon(come, number)
        assert trio.current_time() - began < 1.5  # side by side


@virtual
async def test_a_keepers_crash_while_they_are_told_refuses_the_newcomer_who_may_try_again() -> None:
    manager = Slow()
    async with fleet(ws_manager=manager) as (system, server, network):
        client = await memory_peer(network)
        await client.send("register", client_id="dev-1")
        await until(lambda: server.devices)
        keeper = system.find("/server/directory")
        assert keeper is not None
        keeper._cell.give_up(RuntimeError("planted"))
        assert await client.closed() in (1000, 1011)
        await until(lambda: not server.devices)
        again = await memory_peer(network)
        await again.register("dev-1")
        assert list(server.devices) == ["dev-1"]


@virtual
async def test_what_they_raise_and_what_they_lack_harms_nobody() -> None:
    class Broken:
        def add_client(self, *facts: object) -> None:
            raise RuntimeError("of no concern")

        async def get_device_sessions(self, device_id: str) -> list[str]:
            raise RuntimeError("of no concern")

        remove_client = None

    manager = Broken()
    async with fleet(ws_manager=manager, session_manager=object()) as (_, server, network):
        for _ in range(10):
            client = await memory_peer(network)
            await client.register("dev-1")
            await client.heartbeat()
            await client.cut()
            await until(lambda: not server.devices)


@virtual
async def test_cancelling_by_hand_reaches_their_sessions_too() -> None:
    manager = Plain()
    manager.sessions["dev-1"] = ["s1"]
    async with fleet(ws_manager=manager, session_manager=manager) as (_, server, _):
        await server.cancel_device_tasks("dev-1", "maintenance")
        assert manager.told == [("cancel", "s1", "maintenance")]


@virtual
async def test_overridden_hooks_are_called_and_may_take_their_time() -> None:
    gate = trio.Event()
    called: list[str] = []

    class Watched(DeviceServerEndpoint):
        async def on_device_disconnected(self, device_id: str) -> None:
            called.append(f"lost {device_id}")
            if device_id == "dev-1":
                raise RuntimeError("of no concern")
            await super().on_device_disconnected(device_id)
            await gate.wait()

        async def cancel_device_tasks(self, device_id: str, reason: str) -> None:
            called.append(f"cancel {device_id} {reason}")
            await super().cancel_device_tasks(device_id, reason)

    network = MemoryNetwork()
    async with fleet() as (system, _, _):
        server = Watched()
        await server.start()
        await network.serve("server", server.handle_websocket, nursery=system.nursery)
        clients = {name: await memory_peer(network) for name in ("dev-1", "dev-2", "orch")}
        for name, client in clients.items():
            await client.register(name, "device" if name != "orch" else "constellation")
        for client in clients.values():
            await client.cut()
        await until(lambda: not server.is_connected())
        await until(lambda: len(called) == 3)
        assert sorted(called) == ["cancel dev-2 device_disconnected", "lost dev-1", "lost dev-2"]
        third = await memory_peer(network)
        await third.register("dev-3")  # while a hook still waits
        again = await memory_peer(network)
        await again.register("dev-1")
        gate.set()
        second = await memory_peer(network)
        await second.register("dev-2")
        assert sorted(server.devices) == ["dev-1", "dev-2", "dev-3"]
        await server.stop()
