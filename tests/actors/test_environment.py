import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    Backoff,
    Environment,
    RealEnvironment,
    current_environment,
    current_nursery,
    handles,
    open_system,
)
from tests.actors.support import Crash, Echo, Keeper, virtual


class Toy:
    """An environment in which nothing is left to chance."""

    def __init__(self) -> None:
        self.ids = iter(range(1000))
        self.random = random.Random(7)

    def now(self) -> datetime:
        return datetime(2000, 1, 1, tzinfo=UTC)

    def new_id(self) -> str:
        return f"id-{next(self.ids)}"

    def new_secret(self) -> str:
        return "secret"

    async def open_tcp_stream(self, host: str, port: int) -> trio.SocketStream:
        raise NotImplementedError

    async def open_tcp_listeners(
        self, port: int, *, host: str = "127.0.0.1", backlog: int | None = None
    ) -> Sequence[trio.SocketListener]:
        raise NotImplementedError

    def sync(self, file: int) -> None: ...


def agrees(environment: Environment) -> Environment:
    """Is checked by the type checkers."""
    return environment


@virtual
async def test_a_system_takes_its_ids_from_its_environment() -> None:
    environment = agrees(Toy())
    async with open_system(environment=environment) as one, open_system(environment=environment) as two:
        assert (one.id, two.id) == ("id-0", "id-1")
        assert one.environment is environment


@virtual
async def test_a_system_without_one_has_a_real_one() -> None:
    async with open_system() as one, open_system() as two:
        assert isinstance(one.environment, RealEnvironment)
        assert one.id != two.id


@virtual
async def test_the_current_environment_is_that_of_the_system_everywhere_inside() -> None:
    environment = Toy()
    seen: list[Environment] = []

    async def look() -> None:
        seen.append(current_environment())

    class Looking(Keeper):
        def __init__(self) -> None:
            super().__init__()
            seen.append(current_environment())

        async def started(self) -> None:
            await look()
            self.nursery.start_soon(look)

        @handles
        async def echo(self, message: Echo) -> object:
            await look()
            return None

    async with open_system(environment=environment) as system, trio.open_nursery() as nursery:
        await look()
        nursery.start_soon(look)
        await (await system.spawn(Looking)).ask(Echo(0))
        await wait_all_tasks_blocked()
    assert seen == [environment] * 6


@virtual
async def test_outside_of_a_system_the_current_environment_is_the_world_as_it_is() -> None:
    before = current_environment()
    assert isinstance(before, RealEnvironment)
    async with open_system(environment=Toy()), open_system() as inner:
        assert current_environment() is inner.environment
    assert current_environment() is before


def test_outside_of_trio_too() -> None:
    assert isinstance(current_environment(), RealEnvironment)
    assert current_nursery() is None


@virtual
async def test_the_current_nursery_is_the_actors_or_the_systems() -> None:
    seen: dict[str, trio.Nursery | None] = {}

    async def look(where: str) -> None:
        seen[where] = current_nursery()

    class Looking(Keeper):
        async def started(self) -> None:
            seen["its own"] = self.nursery
            self.nursery.start_soon(look, "task")
            self.system.nursery.start_soon(self.outlive)

        async def outlive(self) -> None:
            await self.ref.stopped()
            await look("after its end")

        @handles
        async def echo(self, message: Echo) -> object:
            await look("handler")
            return None

    assert current_nursery() is None
    async with open_system() as system:
        looking = await system.spawn(Looking)
        await looking.ask(Echo(0))
        await look("body")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(look, "task of the body")
        await looking.stop()
        await wait_all_tasks_blocked()
    own = seen.pop("its own")
    assert own is not None
    assert (seen.pop("handler"), seen.pop("task")) == (own, own)
    assert set(seen) == {"body", "task of the body", "after its end"}
    assert set(seen.values()) == {system.nursery}
    assert current_nursery() is None


@virtual
async def test_tasks_in_the_systems_nursery_end_with_the_tree() -> None:
    log: list[str] = []

    class Last(Keeper):
        async def stopping(self, reason: object) -> None:
            await trio.sleep(1)
            log.append("actor")

    async def work() -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append("task")

    async with open_system() as system:
        await system.spawn(Last)
        nursery = current_nursery()
        assert nursery is not None
        nursery.start_soon(work)
    assert log == ["actor", "task"]


def restarts(seed: int) -> list[float]:
    """When an actor with a jittered backoff was restarted."""
    times: list[float] = []

    class Noting(Keeper):
        async def started(self) -> None:
            times.append(trio.current_time())

    @virtual
    async def run() -> None:
        async with open_system(environment=RealEnvironment(seed)) as system:
            noting = await system.spawn(Noting, backoff=Backoff(initial=1, maximum=8))
            for _ in range(5):
                await noting.tell(Crash(KeyError("planted")))
                await trio.sleep(10)

    run()
    return times


def test_chance_comes_from_the_environment_and_its_seed_repeats_it() -> None:
    assert restarts(1) == restarts(1)
    assert restarts(1) != restarts(2)


def test_the_real_clock_has_its_time_zone() -> None:
    now = RealEnvironment().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_real_ids_differ() -> None:
    environment = RealEnvironment(1)
    ids = [UUID(environment.new_id()) for _ in range(100)]
    assert len(set(ids)) == 100
    assert {one.version for one in ids} == {4}
    assert RealEnvironment(1).new_id() != RealEnvironment(1).new_id()  # the seed does not repeat ids


def test_real_secrets_are_32_bytes_that_no_seed_repeats() -> None:
    made = {RealEnvironment(1).new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(bytes.fromhex(secret)) == 32 for secret in made)


def test_the_real_network_is_trios_on_the_loopback() -> None:
    async def main() -> None:
        environment = agrees(RealEnvironment())
        (listener,) = await environment.open_tcp_listeners(0)
        assert isinstance(listener, trio.SocketListener)
        host, port = listener.socket.getsockname()
        assert host == "127.0.0.1"
        async with listener, trio.open_nursery() as nursery:

            async def serve() -> None:
                async with await listener.accept() as stream:
                    await stream.send_all(b"hello")

            nursery.start_soon(serve)
            async with await environment.open_tcp_stream(host, port) as stream:
                assert await stream.receive_some() == b"hello"
        with pytest.raises(OSError, match="failed"):
            await environment.open_tcp_stream(host, port)

    trio.run(main)


def test_sync_syncs(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.write(b"x")
        file.flush()
        RealEnvironment().sync(file.fileno())
    with pytest.raises(OSError, match="Bad file descriptor"):
        RealEnvironment().sync(os.open(tmp_path, os.O_RDONLY) + 1000)
