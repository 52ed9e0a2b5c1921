"""A part of the service that crashes: it is started again, and the others do not notice."""

import logging
from collections.abc import Generator

import pytest
import trio

from aip_trio.actors import current_system
from aip_trio.rpc import ApiCommandRequest, ApiCommandRequestResponse, RpcServiceState
from tests.rpc.service.support import RESULT, SUCCESS, ask, asking, request, serving, subscribed, until


@pytest.fixture(autouse=True)
def silent() -> Generator[None]:
    """Crashes are planted here, and their tracebacks would hide what matters."""
    logger = logging.getLogger("aip_trio.actors")
    logger.disabled = True
    yield
    logger.disabled = False


def kill(part: str) -> None:
    """Crash a part of the service."""
    ref = current_system().find(f"/rpc/{part}")
    assert ref is not None
    ref._cell.give_up(RuntimeError(f"planted in {part}"))


def restarts(part: str) -> int:
    """How often it was started again."""
    return sum(node.restarts for node in current_system().tree().walk() if node.path == f"/rpc/{part}")


async def restarted(part: str, times: int = 1) -> None:
    """Wait until a part was started again that often."""
    await until(lambda: restarts(part) == times)


@pytest.mark.trio
async def test_commands_never_notice_that_the_publisher_crashed() -> None:
    async with serving() as service, asking(service) as client:
        asked = 0

        async def go_on(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            nonlocal asked
            while True:
                assert (await client.ask(request(300, nonce=asked)))["nonce"] == asked
                asked += 1
                if asked == 1:
                    task_status.started()

        async def asks_more() -> None:
            before = asked
            await until(lambda: asked > before + 5)

        async with trio.open_nursery() as nursery:
            await nursery.start(go_on)
            for number in (1, 2, 3):
                kill("publisher")
                await restarted("publisher", number)
                await asks_more()
            nursery.cancel_scope.cancel()
        assert restarts("commands") == 0


@pytest.mark.trio
async def test_what_waited_when_the_publisher_crashed_is_published_by_the_next_on_the_same_port() -> None:
    async with serving(replay=1000) as service, subscribed(service, 5001) as events:
        urls = service.urls
        kill("publisher")
        for number in range(100):
            assert service.send_dict(5001, {"number": number})
        await until(lambda: restarts("publisher") and not service.statistics().queued)
        assert service.urls == urls
        await events.joined(service)  # libzmq connects again by itself
        service.send_dict(5001, {"number": 100})
        topic, last = await events.receive()
        while last["number"] != 100:
            topic, last = await events.receive()
        assert (topic, last["sequence"]) == (5001, 101)
        # It was published while nobody was connected: that is what a replay is for.
        data = {"stream": last["stream"], "topic": 5001, "first": 1, "last": 101}
        (reply,) = await ask(service, request(90001, data=data))
        assert [each["number"] for each in reply["data"]["events"]] == list(range(101))


@pytest.mark.trio
async def test_events_never_notice_that_the_commands_crashed() -> None:
    async with serving() as service, subscribed(service, 5001) as events:
        port = service.command_port
        for number in (1, 2, 3):
            kill("commands")
            for index in range(10):
                service.send_dict(5001, {"index": index})
            assert [(await events.receive())[1]["index"] for _ in range(10)] == list(range(10))
            await restarted("commands", number)
            assert [reply["result"] for reply in await ask(service, request(300))] == [RESULT.SUCCESS]
            assert service.command_port == port
        assert restarts("publisher") == restarts("heartbeat") == 0


@pytest.mark.trio
async def test_commands_in_hand_when_they_crash_are_answered_and_their_delegates_cancelled() -> None:
    cancelled: list[int] = []

    async def delegate(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        if request.command == 300:
            return SUCCESS
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            cancelled.append(request.nonce)
            raise
        return SUCCESS

    async with (
        serving(delegate, pending_after=0.5) as service,
        subscribed(service, 6001) as events,
        asking(service) as pending,
        asking(service) as waiting,
    ):
        assert (await pending.ask(request(400, nonce=1)))["result"] == RESULT.PENDING_WITH_NOTIFICATION
        await waiting.send(request(400, nonce=2))
        await until(lambda: service.statistics().running == 2)
        kill("commands")
        reply = await waiting.receive()
        assert (reply["nonce"], reply["result"]) == (2, RESULT.UNAVAILABLE)
        assert "may have been done in part" in reply["errorMessage"]
        _, result = await events.receive()
        assert (result["nonce"], result["result"]) == (1, RESULT.UNAVAILABLE)
        await until(lambda: sorted(cancelled) == [1, 2])
        await restarted("commands")
        assert service.statistics().running == 0
        # REQ clients connect again by themselves, and ask again.
        assert (await waiting.ask(request(300)))["result"] == RESULT.SUCCESS


@pytest.mark.trio
async def test_a_heartbeat_that_crashed_beats_again() -> None:
    async with serving(heartbeat_interval=3600) as service:
        await until(lambda: service.statistics().published == {1001: 1})
        kill("heartbeat")
        await until(lambda: service.statistics().published == {1001: 2})
        assert restarts("publisher") == restarts("commands") == 0


@pytest.mark.trio
async def test_a_service_whose_parts_crash_again_and_again_has_stopped() -> None:
    async with serving() as service:
        for number in (1, 2, 3):
            kill("heartbeat")
            await restarted("heartbeat", number)
        kill("heartbeat")
        await until(lambda: service.state is RpcServiceState.STOPPED)
        assert not service.send(1, b"")
        await service.stopped()
