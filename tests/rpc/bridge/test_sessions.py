import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.messages import ServerMessage, ServerMessageType, TaskStatus
from aip_trio.rpc.bridge._sessions import Sessions


def message(kind: ServerMessageType, session_id: str | None) -> ServerMessage:
    return ServerMessage(type=kind, status=TaskStatus.CONTINUE, session_id=session_id)


@pytest.mark.trio
async def test_a_session_is_open_from_its_first_command_to_its_end() -> None:
    seen: list[ServerMessage] = []
    sessions = Sessions(seen.append)
    for kind, session_id, still_open in (
        (ServerMessageType.TASK, "s0", set[str]()),
        (ServerMessageType.COMMAND, None, set[str]()),
        (ServerMessageType.COMMAND, "s1", {"s1"}),
        (ServerMessageType.COMMAND, "s2", {"s1", "s2"}),
        (ServerMessageType.COMMAND, "s1", {"s1", "s2"}),
        (ServerMessageType.TASK_END, "s3", {"s1", "s2"}),
        (ServerMessageType.TASK_END, "s1", {"s2"}),
        (ServerMessageType.HEARTBEAT, "s2", {"s2"}),
    ):
        passed = message(kind, session_id)
        assert await sessions.process_incoming(passed) is passed
        assert sessions.open == still_open
        assert await sessions.process_outgoing(passed) is passed
    assert [each.session_id for each in seen] == ["s1", "s2", "s1"]


@pytest.mark.trio
async def test_who_waits_for_the_end_of_all_waits_for_the_last(
    autojump_clock: trio.testing.MockClock,
) -> None:
    sessions = Sessions(lambda message: None)
    await sessions.all_ended()
    for session_id in ("s1", "s2"):
        await sessions.process_incoming(message(ServerMessageType.COMMAND, session_id))
    over: list[str] = []

    async def wait() -> None:
        await sessions.all_ended()
        over.append("over")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        for session_id, expected in (("s1", []), ("s2", ["over"])):
            await sessions.process_incoming(message(ServerMessageType.TASK_END, session_id))
            await wait_all_tasks_blocked()
            assert over == expected
