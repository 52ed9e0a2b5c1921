"""How much a server takes on: each limit is named where it is met, and counted."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aip_trio.endpoints import DeviceServerEndpoint, Limits, ServerStatistics
from aip_trio.errors import InvalidSpec
from aip_trio.transport import LOOPBACK, Addresses
from tests.endpoints.peer import device, orchestrator, peer
from tests.endpoints.support import serving, until
from tests.endpoints.test_door import status

# Addresses


def test_of_one_address_only_so_many_come_in_and_others_do_not_notice() -> None:
    addresses = Addresses(2)
    first, second = addresses.enter("10.0.0.1"), addresses.enter("10.0.0.1")
    assert first is not None
    assert second is not None
    assert addresses.enter("10.0.0.1") is None
    assert addresses.enter("10.0.0.2") is not None
    addresses.leave(first)
    assert addresses.enter("10.0.0.1") is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),  # of one network of 64 bits
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),  # the same one, as a socket of both kinds has it
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    addresses = Addresses(1)
    assert addresses.enter(one) is not None
    assert (addresses.enter(other) is None) is same


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "unknown", ""])
def test_the_loopback_and_what_is_no_address_are_not_counted(host: str) -> None:
    addresses = Addresses(1)
    assert [addresses.enter(host) for _ in range(3)] == ["", "", ""]
    assert not addresses


def test_networks_may_be_left_out_and_without_a_limit_all_are() -> None:
    behind = Addresses(1, ["10.1.0.0/16", "2001:db8::/32"])
    for host in ("10.1.2.3", "2001:db8::7"):
        assert [behind.enter(host), behind.enter(host)] == ["", ""]
    assert [behind.enter("127.0.0.1"), behind.enter("127.0.0.1")] == ["127.0.0.1", None]
    assert [Addresses(None).enter("10.0.0.1") for _ in range(3)] == ["", "", ""]


@pytest.mark.parametrize("network", ["nonsense", "10.0.0.1/8", "10.0.0.0/33", ""])
def test_a_network_that_is_none_is_named(network: str) -> None:
    with pytest.raises(InvalidSpec, match="uncounted_addresses"):
        Addresses(1, [network])


HOSTS = st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2", "127.0.0.1"])


@given(st.lists(st.tuples(HOSTS, st.booleans())), st.integers(1, 3))
def test_who_has_left_leaves_nothing_behind(steps: list[tuple[str, bool]], limit: int) -> None:
    addresses = Addresses(limit)
    there: dict[str, list[str]] = {}
    for host, comes in steps:
        network = host.rpartition(":")[0] or host
        inside = there.setdefault(network, [])
        if comes:
            name = addresses.enter(host)
            assert (name is None) is (len(inside) >= limit and host != "127.0.0.1")
            if name is not None:
                inside.append(name)
        elif inside:
            addresses.leave(inside.pop())
    for names in there.values():
        for name in names:
            addresses.leave(name)
    assert not addresses


# At the server

Serve = Callable[..., Any]


@asynccontextmanager
async def limited(**limits: Any) -> AsyncGenerator[DeviceServerEndpoint]:
    async with serving(limits=Limits(**limits)) as server:
        yield server


@pytest.mark.trio
async def test_beyond_the_connections_of_an_address_a_handshake_is_answered_with_429() -> None:
    async with limited(connections_per_address=2, uncounted_addresses=()) as server:
        async with device(server.url) as client, orchestrator(server.url) as orch:
            for _ in range(2):
                assert await status(server.url) == 429
            await client.heartbeat()
            await orch.heartbeat()
            assert server.statistics().refused == {"connections_per_address": 2}
        await until(lambda: not server.statistics().connections)
        assert await status(server.url) == 101


@pytest.mark.trio
async def test_the_loopback_has_no_such_limit_by_default() -> None:
    async with (
        limited(connections_per_address=1) as server,
        device(server.url),
        orchestrator(server.url) as orch,
    ):
        await orch.heartbeat()


@pytest.mark.trio
async def test_beyond_the_sessions_of_a_device_its_next_task_is_refused() -> None:
    async with (
        limited(sessions_per_device=2) as server,
        device(server.url) as one,
        device(server.url, "dev-2") as two,
        orchestrator(server.url, target=None) as orch,
        orchestrator(server.url, "orch-2", target=None) as other,
    ):
        await orch.ask("s1", "dev-1", "look")
        await other.ask("s2", "dev-1", "look")
        command = await one.command()
        await one.command()
        for asker in (orch, other):
            await asker.ask("s3", "dev-1", "look")
            end = await asker.end("s3")
            assert end["status"] == "failed"
            assert "sessions_per_device" in end["error"]
        await orch.ask("s4", "dev-2", "look")  # another device has its own
        await two.answer(await two.command("s4"), "seen")
        assert (await orch.end("s4"))["status"] == "completed"
        await one.answer(command, "seen")
        ended = await (orch if command["session_id"] == "s1" else other).end()
        assert ended["status"] == "completed"
        await one.end()
        await orch.ask("s5", "dev-1", "look")
        assert (await one.command())["session_id"] == "s5"
        assert server.statistics().refused == {"sessions_per_device": 2}


@pytest.mark.trio
async def test_what_a_server_has_taken_on_and_refused_is_counted() -> None:
    async with serving(token="s3cret", limits=Limits(tasks_per_client=1, clients=2)) as server:
        assert await status(server.url) == 401
        secret = [("Authorization", "Bearer s3cret")]
        async with (
            peer(server.url, headers=secret) as client,
            peer(server.url, headers=secret) as orch,
            peer(server.url, headers=secret) as third,
        ):
            await client.register("dev-1")
            await orch.register("orch", "constellation")
            await third.send("register", client_id="dev-3")
            assert "limit: clients" in await third.refused(closed=True)
            await orch.ask("s1", "dev-1", "look")
            await orch.ask("s2", "dev-1", "look")
            assert "tasks_per_client" in (await orch.end("s2"))["error"]
            await until(lambda: server.statistics().connections == 2)
            assert server.statistics() == ServerStatistics(
                clients=2,
                devices=1,
                tasks=1,
                connections=2,
                accepted=4,
                refused={"token": 1, "clients": 1, "tasks_per_client": 1},
                failed=0,
                slow=0,
            )


@pytest.mark.trio
async def test_statistics_can_be_had_before_the_start_and_after_the_end() -> None:
    server = DeviceServerEndpoint(port=0)
    nothing = server.statistics()
    assert (nothing.clients, nothing.connections, nothing.refused) == (0, 0, {})
    async with server, device(server.url):
        assert server.statistics().clients == 1
    after = server.statistics()
    assert (after.clients, after.tasks, after.connections, after.accepted) == (0, 0, 0, 1)


def test_limits_say_what_is_wrong_with_them() -> None:
    for name in ("sessions_per_device", "connections_per_address", "queued_bytes"):
        for value in (0, -1, True, 1.5, None):
            options: dict[str, Any] = {name: value}
            with pytest.raises(InvalidSpec, match=name):
                Limits(**options)
    assert Limits().uncounted_addresses == LOOPBACK


@pytest.mark.parametrize("network", ["here", "10.0.0.1/8"])
def test_a_network_that_is_none_is_no_limit(network: str) -> None:
    with pytest.raises(InvalidSpec, match=network):
        Limits(uncounted_addresses=["10.0.0.0/8", network])
