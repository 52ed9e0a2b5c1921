"""Calls of extensions: in order for each endpoint, bounded, and nobody else's concern; in virtual time."""

import logging
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from aip_trio.errors import InvalidSpec
from aip_trio.extensions import AIPExtension, ExtensionCalls, LoggingExtension, MetricsExtension
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint

BEAT = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK, metadata={"a": "secret"})


class Recorder(AIPExtension):
    """Remembers what it was told, and takes its time."""

    def __init__(self, delay: float = 0) -> None:
        self.told: list[tuple[str, Any]] = []
        self.delay = delay

    async def _note(self, name: str, what: object) -> None:
        await trio.sleep(self.delay)
        self.told.append((name, what))

    async def on_message_sent(self, msg: WireModel) -> None:
        await self._note("sent", msg)

    async def on_message_received(self, msg: WireModel) -> None:
        await self._note("received", msg)

    async def on_connection_established(self, endpoint_id: str) -> None:
        await self._note("established", endpoint_id)

    async def on_connection_closed(self, endpoint_id: str) -> None:
        await self._note("closed", endpoint_id)

    async def on_error(self, error: Exception, context: str) -> None:
        await self._note("error", (type(error), context))


def everything(calls: ExtensionCalls, endpoint_id: str = "dev") -> None:
    calls.established(endpoint_id)
    calls.received(endpoint_id, BEAT, 10)
    calls.sent(endpoint_id, BEAT, 10)
    calls.failed(endpoint_id, KeyError())
    calls.closed(endpoint_id)


@pytest.mark.trio
async def test_all_are_told_everything_in_order(autojump_clock: MockClock) -> None:
    extensions = [Recorder(), Recorder(1)]
    calls = ExtensionCalls(extensions)
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        everything(calls)
    for extension in extensions:
        assert extension.told == [
            ("established", "dev"),
            ("received", BEAT),
            ("sent", BEAT),
            ("error", (KeyError, "connection of dev")),
            ("closed", "dev"),
        ]


@pytest.mark.trio
async def test_a_slow_one_holds_up_neither_the_others_nor_other_endpoints(autojump_clock: MockClock) -> None:
    slow, quick = Recorder(20), Recorder()
    calls = ExtensionCalls([slow, quick])
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        for endpoint_id in "ab":
            calls.established(endpoint_id)
            calls.closed(endpoint_id)
        await trio.sleep(1)
        assert len(quick.told) == 4
        await trio.sleep(20)
        assert sorted(slow.told) == [("established", "a"), ("established", "b")]
    assert sorted(slow.told) == [(what, which) for what in ("closed", "established") for which in "ab"]


@pytest.mark.trio
async def test_a_plain_hook_will_do(autojump_clock: MockClock) -> None:
    told: list[str] = []

    class Plain(AIPExtension):
        def on_connection_established(self, endpoint_id: str) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            told.append(endpoint_id)

    calls = ExtensionCalls([Plain()])
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        calls.established("dev")
    assert told == ["dev"]


@pytest.mark.trio
async def test_what_one_raises_is_logged_once_and_the_next_call_comes(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Recorder):
        async def on_message_sent(self, msg: WireModel) -> None:
            await trio.lowlevel.checkpoint()
            raise KeyError("planted")

    extension = Broken()
    calls = ExtensionCalls([extension])
    with caplog.at_level(logging.INFO, "aip_trio.extensions"):
        async with trio.open_nursery() as nursery:
            calls.open(nursery)
            for _ in range(3):
                calls.sent("dev", BEAT, 1)
            calls.closed("dev")
    assert extension.told == [("closed", "dev")]
    (record,) = caplog.records
    assert "Broken.on_message_sent failed" in record.message
    assert record.exc_info is not None


@pytest.mark.trio
async def test_one_that_hangs_is_cancelled_and_goes_on(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Hangs(Recorder):
        async def on_message_sent(self, msg: WireModel) -> None:
            await trio.sleep_forever()

    extension = Hangs()
    calls = ExtensionCalls([extension], patience=5)
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        calls.sent("dev", BEAT, 1)
        calls.closed("dev")
    assert extension.told == [("closed", "dev")]
    assert "Hangs.on_message_sent was cancelled after 5 s" in caplog.text


@pytest.mark.trio
async def test_what_does_not_fit_is_dropped_and_said_twice(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    extension = Recorder(0.01)
    calls = ExtensionCalls([extension])
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        for _ in range(300):
            calls.sent("dev", BEAT, 1)
    assert len(extension.told) == 256
    assert [record.message for record in caplog.records] == [
        "Recorder is too slow: calls for 'dev' are dropped",
        "Recorder missed 44 calls for 'dev'",
    ]
    caplog.clear()
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        calls.closed("dev")
    assert extension.told[-1] == ("closed", "dev")
    assert not caplog.records


@pytest.mark.trio
async def test_large_messages_do_not_pile_up(autojump_clock: MockClock) -> None:
    extension = Recorder(1)
    calls = ExtensionCalls([extension])
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        for endpoint_id in "ab":
            for _ in range(10):
                calls.sent(endpoint_id, BEAT, 5 * 1024 * 1024)
    assert len(extension.told) < 10
    async with trio.open_nursery() as nursery:  # all of the budget is free again
        calls.open(nursery)
        for _ in range(3):
            calls.sent("c", BEAT, 5 * 1024 * 1024)
    assert len(extension.told) >= 6


@pytest.mark.trio
async def test_what_happens_before_the_start_waits_and_after_the_end_is_nothing(
    autojump_clock: MockClock,
) -> None:
    extension = Recorder(1)
    calls = ExtensionCalls([extension])
    calls.established("early")
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        calls.established("dev")
        await calls.close(10)
        calls.established("late")
    assert sorted(extension.told) == [("established", "dev"), ("established", "early")]


@pytest.mark.trio
async def test_the_end_waits_only_so_long(autojump_clock: MockClock) -> None:
    extension = Recorder(10)
    calls = ExtensionCalls([extension])
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        everything(calls)
        await calls.close(2)
        assert trio.current_time() == start + 2
        nursery.cancel_scope.cancel()
    assert extension.told == []


def test_the_wait_for_the_end_can_be_cancelled() -> None:
    async def scenario(point: CancelPoint) -> None:
        extension = Recorder(1)
        calls = ExtensionCalls([extension])
        async with trio.open_nursery() as nursery:
            calls.open(nursery)
            calls.established("dev")
            with point:
                await calls.close(10)
                assert extension.told
        assert extension.told == [("established", "dev")]

    assert cancel_at_every_checkpoint(scenario) >= 1


def test_what_is_no_extension_is_named() -> None:
    with pytest.raises(InvalidSpec, match="extensions"):
        ExtensionCalls([object()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


# Those that come with the package


@pytest.mark.trio
async def test_logging_tells_what_passes_and_nothing_of_what_it_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = ExtensionCalls([LoggingExtension()])
    with caplog.at_level(logging.INFO, "aip_trio.extensions"):
        async with trio.open_nursery() as nursery:
            calls.open(nursery)
            everything(calls)
    assert [record.message for record in caplog.records] == [
        "connected: 'dev'",
        "received: 'heartbeat'",
        "sent: 'heartbeat'",
        "connection of dev: KeyError",
        "disconnected: 'dev'",
    ]
    assert [record.levelno for record in caplog.records] == [logging.INFO] * 3 + [
        logging.WARNING,
        logging.INFO,
    ]
    assert "secret" not in str([vars(record) for record in caplog.records])


@pytest.mark.trio
async def test_metrics_are_counted_and_reset(autojump_clock: MockClock) -> None:
    metrics = MetricsExtension()
    calls = ExtensionCalls([metrics])
    command = ServerMessage(type=ServerMessageType.COMMAND, status=TaskStatus.CONTINUE, response_id="r")
    results = ClientMessage(
        type=ClientMessageType.COMMAND_RESULTS, status=TaskStatus.CONTINUE, prev_response_id="r"
    )
    async with trio.open_nursery() as nursery:
        calls.open(nursery)
        everything(calls)
        calls.sent("dev", command, 1)
        await trio.sleep(2)
        calls.received("dev", results, 1)
    assert metrics.get_metrics() == {
        "messages_sent": 2,
        "messages_received": 2,
        "connections_established": 1,
        "connections_closed": 1,
        "errors": 1,
        "message_types": {"heartbeat": 2, "command": 1, "command_results": 1},
        "answers": 1,
        **{f"{name}_latency": pytest.approx(2) for name in ("avg", "min", "max", "p50", "p90", "p99")},
    }
    metrics.reset_metrics()
    assert metrics.get_metrics() == MetricsExtension().get_metrics()
