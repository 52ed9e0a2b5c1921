from datetime import UTC, datetime

import pytest
import trio

from aip_trio.endpoints.tools import ToolRegistry, tool
from aip_trio.errors import InvalidSpec, InvalidTool
from aip_trio.messages import ToolType
from aip_trio.rpc import ApiCommand, ApiEventKind, ApiTopic
from aip_trio.rpc.bridge import COMMANDS, BridgeCommand
from aip_trio.rpc.bridge._commands import all_commands
from aip_trio.rpc.bridge._recent import Recent
from aip_trio.rpc.bridge._record import Record
from aip_trio.rpc.bridge._tools import make_registry
from tests.endpoints.tools.support import fail, succeed

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Calls:
    """What is called instead of a service."""

    def __init__(self) -> None:
        self.made: list[tuple[str, BridgeCommand, object]] = []

    async def __call__(self, name: str, command: BridgeCommand, data: object) -> object:
        await trio.lowlevel.checkpoint()
        self.made.append((name, command, data))
        return {"done": command.title}


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def recent() -> Recent:
    recent = Recent(100, 100_000)
    for index, kind in enumerate((101, 1101, 101)):
        recent.add(Record(ApiTopic.EVENT, {"index": index}, NOW, ApiEventKind(kind)))
    recent.add(Record(ApiTopic.PROPERTY_CHANGE, {"index": 3}, NOW))
    return recent


@pytest.fixture
def registry(calls: Calls, recent: Recent) -> ToolRegistry:
    return make_registry(COMMANDS, (), calls, recent, any_command=True)


def test_there_is_a_tool_for_each_command_that_all_services_know(registry: ToolRegistry) -> None:
    kinds = {each.name: each.tool_type for each in registry}
    looks = {name for name, kind in kinds.items() if kind is ToolType.DATA_COLLECTION}
    assert looks == {"get_configuration", "get_status", "recent_events"}
    assert kinds.keys() - looks == {
        "start_acquisition",
        "stop_acquisition",
        "emergency_stop",
        "emergency_resume",
        "send_command",
    }
    assert all(each.description for each in registry)


@pytest.mark.trio
@pytest.mark.parametrize("name", list(COMMANDS))
async def test_a_tool_sends_its_command_with_its_data(
    name: str, registry: ToolRegistry, calls: Calls
) -> None:
    command = COMMANDS[name]
    assert await succeed(registry, name, data={"a_b": [1]}) == {"done": ApiCommand(command.command).name}
    await succeed(registry, name)
    assert calls.made == [(name, command, {"a_b": [1]}), (name, command, None)]


@pytest.mark.trio
@pytest.mark.parametrize(("given", "number"), [(90, 90), ("USER_DEFINED", 99999), ("get_STATUS", 400)])
async def test_any_command_is_sent_by_number_or_name(
    given: int | str, number: int, registry: ToolRegistry, calls: Calls
) -> None:
    await succeed(registry, "send_command", command=given, data=5, custom_command=8)
    assert calls.made == [("send_command", BridgeCommand(number, 8), 5)]


@pytest.mark.trio
async def test_a_command_that_is_none_is_refused_with_the_names(registry: ToolRegistry, calls: Calls) -> None:
    told = await fail(registry, "send_command", command="selfdestruct")
    assert told.startswith(
        "command='selfdestruct' is none: give its number, or one of NONE, START_ACQUISITION,"
    )
    for number in (2**63, -(2**63) - 1):
        assert "cannot take these parameters" in await fail(registry, "send_command", command=number)
    assert calls.made == []


@pytest.mark.trio
async def test_a_program_has_commands_and_tools_of_its_own(calls: Calls, recent: Recent) -> None:
    @tool
    async def wave(times: int) -> int:
        await trio.lowlevel.checkpoint()
        return times

    own = all_commands({"open_tunnel": 1234, "dance": BridgeCommand(ApiCommand.USER_DEFINED, 7)})
    registry = make_registry(own, [wave], calls, recent, any_command=False)
    assert [each.name for each in registry] == ["open_tunnel", "dance", "recent_events", "wave"]
    assert await succeed(registry, "open_tunnel") == {"done": "UNKNOWN_1234"}
    assert await succeed(registry, "dance") == {"done": "USER_DEFINED 7"}
    assert await succeed(registry, "wave", times=3) == 3
    assert registry["dance"].description == "Send the device the command USER_DEFINED 7."


def test_two_tools_of_one_name_are_refused(calls: Calls, recent: Recent) -> None:
    async def get_status() -> None:
        """Another one."""

    with pytest.raises(InvalidTool, match="get_status"):
        make_registry(COMMANDS, [get_status], calls, recent, any_command=True)


@pytest.mark.parametrize("number", ["GET_STATUS", True, 1.5, None])
def test_a_command_without_a_number_is_refused(number: object) -> None:
    with pytest.raises(InvalidSpec, match="give the command's number"):
        all_commands({"get_status": number})  # type: ignore[dict-item] # pyright: ignore


@pytest.mark.trio
@pytest.mark.parametrize(
    ("filters", "indices"),
    [
        ({}, [0, 1, 2, 3]),
        ({"limit": 2}, [2, 3]),
        ({"topic": "event"}, [0, 1, 2]),
        ({"topic": 5001}, [3]),
        ({"kind": "emergencyStop"}, [0, 2]),
        ({"kind": 101, "limit": 1}, [2]),
        ({"kind": 777}, []),
    ],
)
async def test_recent_events_are_chosen_by_topic_and_kind(
    filters: dict[str, object], indices: list[int], registry: ToolRegistry
) -> None:
    found = await succeed(registry, "recent_events", **filters)
    assert [each["message"]["index"] for each in found] == indices


@pytest.mark.trio
@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({"topic": "nothing"}, "topic='nothing' is none: give its number, or one of ANY, HEARTBEAT"),
        ({"kind": "nothing"}, "kind='nothing' is none: give its number, or one of emergencyStop,"),
        ({"limit": 0}, "cannot take these parameters"),
        ({"limit": 1001}, "cannot take these parameters"),
    ],
)
async def test_a_filter_that_is_none_is_refused(
    filters: dict[str, object], told: str, registry: ToolRegistry
) -> None:
    assert told in await fail(registry, "recent_events", **filters)
