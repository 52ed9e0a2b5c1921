"""A service that is a process of its own, killed under its clients."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from aip_trio.errors import CommandLost
from aip_trio.rpc import ApiCommand, ApiCommandRequestResult, Reply, RpcClient
from tests.rpc.client.services import PATIENCE

_SERVICE = Path(__file__).with_name("hanging_service.py")


def free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


def start(ports: tuple[int, int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(_SERVICE), *map(str, ports)])


@pytest.mark.trio
async def test_a_service_that_is_killed_fails_what_is_in_flight_at_once_and_the_next_one_serves() -> None:
    ports = free_ports()
    lost: list[CommandLost] = []
    service = start(ports)
    try:
        with trio.fail_after(PATIENCE):
            async with RpcClient("127.0.0.1", *ports) as client:
                await client.ready()

                async def hang() -> None:
                    try:
                        await client.command(ApiCommand.START_ACQUISITION, timeout=PATIENCE)
                    except CommandLost as error:
                        lost.append(error)

                async with trio.open_nursery() as nursery:
                    for _ in range(5):
                        nursery.start_soon(hang)
                    await trio.sleep(0.1)
                    assert client.statistics().open == 5
                    killed = trio.current_time()
                    service.send_signal(signal.SIGKILL)
                assert len(lost) == 5
                assert trio.current_time() - killed < 2.0
                service.wait()
                service = start(ports)
                reply: Reply = await client.command(ApiCommand.GET_STATUS, timeout=PATIENCE)
                assert reply.result == ApiCommandRequestResult.SUCCESS
                assert reply.data == {"commands_seen": 1}  # none of those before
    finally:
        service.kill()
        service.wait()
