import sys
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from aip_trio.endpoints.tools import ToolClient, ToolRegistry, builtin_tools, tool
from aip_trio.errors import InvalidSpec
from aip_trio.messages import (
    Codec,
    Command,
    ResultStatus,
    RunCommands,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
)
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.endpoints.tools.support import command


@tool
async def sleep(seconds: float) -> float:
    await trio.sleep(seconds)
    return seconds


@tool(timeout=1000)
async def sleep_long(seconds: float) -> float:
    await trio.sleep(seconds)
    return seconds


@tool
async def repeat(text: str, times: int) -> str:
    return text * times


REGISTRY = ToolRegistry(sleep, sleep_long, repeat)


def message(*commands: Command) -> RunCommands:
    return RunCommands(actions=list(commands), session_id="session", response_id="response")


def wide(actions: list[Command] | None) -> ServerMessage:
    return ServerMessage(type=ServerMessageType.COMMAND, status=TaskStatus.CONTINUE, actions=actions)


@pytest.mark.trio
async def test_commands_run_in_order_and_a_failure_stops_none(autojump_clock: MockClock) -> None:
    client = ToolClient("device", REGISTRY)
    results = await client.execute_step(
        message(
            command(REGISTRY, "sleep", seconds=5),
            command(REGISTRY, "nothing"),
            command(REGISTRY, "sleep", seconds="x"),
            command(REGISTRY, "repeat", text="ab", times=2),
        )
    )
    assert [result.status for result in results] == [
        ResultStatus.SUCCESS,
        ResultStatus.FAILURE,
        ResultStatus.FAILURE,
        ResultStatus.SUCCESS,
    ]
    assert [result.result for result in results] == [5.0, None, None, "abab"]
    assert [result.call_id for result in results] == [
        "call of sleep",
        "call of nothing",
        "call of sleep",
        "call of repeat",
    ]
    assert trio.current_time() == 5


@pytest.mark.parametrize("actions", [None, [], [command(REGISTRY, "repeat", text="a", times=1)]])
@pytest.mark.trio
async def test_the_wire_s_own_message_does_as_well(actions: list[Command] | None) -> None:
    results = await ToolClient("device", REGISTRY).execute_step(wide(actions))
    assert [result.result for result in results] == ["a"] * len(actions or [])


@pytest.mark.trio
async def test_a_command_that_takes_too_long_fails_alone(autojump_clock: MockClock) -> None:
    client = ToolClient("device", REGISTRY)
    late, soon = await client.execute_step(
        message(command(REGISTRY, "sleep", seconds=61), command(REGISTRY, "sleep", seconds=59))
    )
    assert (late.status, late.call_id) == (ResultStatus.FAILURE, "call of sleep")
    assert late.error == "tool 'sleep' did not end within timeout=60.0 s and was cancelled"
    assert soon.result == 59.0
    assert trio.current_time() == 119


@pytest.mark.trio
async def test_the_timeout_can_be_set_for_the_device_and_for_a_tool(autojump_clock: MockClock) -> None:
    client = ToolClient("device", REGISTRY, timeout=2)
    late, long = await client.execute_step(
        message(command(REGISTRY, "sleep", seconds=3), command(REGISTRY, "sleep_long", seconds=999))
    )
    assert late.error is not None
    assert "timeout=2 s" in late.error
    assert long.result == 999.0


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_more_than_nothing(timeout: float) -> None:
    with pytest.raises(InvalidSpec, match="timeout"):
        ToolClient("device", REGISTRY, timeout=timeout)


@pytest.mark.trio
async def test_the_results_of_one_message_always_fit_into_a_frame() -> None:
    large = command(REGISTRY, "repeat", text="x", times=15 * 1024 * 1024)
    results = await ToolClient("device", REGISTRY).execute_step(message(*[large] * 6))
    assert [result.status.value for result in results] == ["success"] * 4 + ["failure"] * 2
    assert all("there is room for" in (result.error or "") for result in results[4:])


def test_a_cancelled_step_ends() -> None:
    async def scenario(point: CancelPoint) -> None:
        with point:
            await ToolClient("device", REGISTRY).execute_step(
                message(command(REGISTRY, "sleep", seconds=1), command(REGISTRY, "sleep", seconds=1))
            )

    assert cancel_at_every_checkpoint(scenario) == 5


@pytest.mark.trio
async def test_a_step_without_commands_is_a_checkpoint() -> None:
    with trio.testing.assert_checkpoints():
        assert await ToolClient("device", REGISTRY).execute_step(wide(None)) == []


@pytest.mark.parametrize(
    ("system", "platform"),
    [("linux", "linux"), ("win32", "windows"), ("cygwin", "windows"), ("darwin", "darwin")],
)
def test_the_platform_is_told_as_peers_know_it(
    system: str, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert ToolClient("device", REGISTRY).platform == platform
    assert ToolClient("device", REGISTRY, platform="mobile").platform == "mobile"


def test_reset_forgets_the_session() -> None:
    client = ToolClient("device", REGISTRY)
    assert client.session_id is None
    client.session_id = "session"
    client.reset()
    assert client.session_id is None


def test_a_registration_tells_the_machine_and_the_tools() -> None:
    info: dict[str, Any] = ToolClient("device-1", builtin_tools(), platform="linux").system_info()
    assert info["device_id"] == "device-1"
    assert info["platform"] == "linux"
    assert info["cpu_count"] >= 1
    assert info["supported_features"] == ["system_info", "live_load"]
    codec = Codec(ServerMessage)
    sent = attrs.evolve(wide([]), result=info)
    assert codec.decode(codec.encode(sent), ServerMessage) == sent
