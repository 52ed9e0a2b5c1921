import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from aip_trio.actors import Backoff, Environment, RealEnvironment, open_system
from tests.actors.support import Crash, Keeper, virtual


class Toy:
    """An environment in which nothing is left to chance."""

    def __init__(self) -> None:
        self.ids = iter(range(1000))
        self.random = random.Random(7)

    def now(self) -> datetime:
        return datetime(2000, 1, 1, tzinfo=UTC)

    def new_id(self) -> str:
        return f"id-{next(self.ids)}"

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
    assert len({environment.new_id() for _ in range(100)}) == 100
    assert RealEnvironment(1).new_id() != RealEnvironment(1).new_id()  # the seed does not repeat ids


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
