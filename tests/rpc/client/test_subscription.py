"""Subscriptions over real sockets."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import ClientNotRunning, InvalidSpec
from aip_trio.rpc import (
    ApiCommand,
    ApiEvent,
    ApiEventKind,
    ApiTopic,
    CommandResult,
    Dropped,
    Event,
    Gap,
    Heartbeat,
    PresenceState,
    PropertyChange,
    Published,
    Reply,
    Restarted,
    RpcClient,
    RpcOptions,
    RpcService,
    Subscription,
)
from aip_trio.rpc._wire import encode_message, encode_message_09, encode_topic
from aip_trio.rpc.client._reader import Reader
from aip_trio.rpc.client._subscription import Latest
from tests.rpc.client.events import EVENT, event_payload
from tests.rpc.client.services import PATIENCE, BareService, client_of, service_of

pytestmark = pytest.mark.trio

KEPT = RpcOptions(
    subscriber_port=0, command_port=0, heartbeat_interval=0.1, replay=10_000, queue=200_000, send_limit=10
)


def send(service: RpcService, index: int) -> None:
    context = {"some_key": "x" * 1000}
    assert service.send_event(ApiEvent(ApiEventKind.tunnelEnter, 1700000000.5, index, context))


async def test_what_is_published_comes_typed() -> None:
    async with service_of() as service, client_of(service) as client, client.subscribe() as events:
        await events.confirmed()
        send(service, 1)
        service.send_dict(ApiTopic.PROPERTY_CHANGE, {"some_name": 1})
        service.send_dict(ApiTopic(77), {"other_name": 2})
        service.send(ApiTopic(78), b"\xff raw")
        await client.command(ApiCommand.USER_DEFINED, {"some_key": 3})
        found: list[Published] = []
        async for event in events:
            assert isinstance(event, Published)
            if not isinstance(event, Heartbeat):
                found.append(event)
            if isinstance(event, CommandResult):
                break
    one, change, other, raw, result = found
    assert isinstance(one, Event)
    assert (one.kind, one.index) == (ApiEventKind.tunnelEnter, 1)
    assert isinstance(change, PropertyChange)
    assert change.data == {"some_name": 1}
    assert (other.topic, other.data) == (77, {"other_name": 2})
    assert (raw.topic, raw.data) == (78, b"\xff raw")
    assert isinstance(result, CommandResult)
    assert result.reply.data == {"some_key": 3}


async def test_only_the_topics_that_were_asked_for_come() -> None:
    async with (
        service_of() as service,
        client_of(service) as client,
        client.subscribe(ApiTopic.EMERGENCY, 77) as events,
    ):
        await events.confirmed()
        send(service, 1)
        service.send_dict(ApiTopic(78), {})
        service.send_event(ApiEvent(ApiEventKind.emergencyStop, 1700000000.5, 2))
        service.send_dict(ApiTopic(77), {})
        first, second = await anext(events), await anext(events)
    assert isinstance(first, Event)
    assert (first.topic, first.kind) == (ApiTopic.EMERGENCY, ApiEventKind.emergencyStop)
    assert isinstance(second, Published)
    assert second.topic == 77


async def test_both_dialects_are_read_and_what_is_none_is_counted() -> None:
    async with (
        BareService() as service,
        client_of(service) as client,
        client.subscribe(ApiTopic.EVENT) as events,
        trio.open_nursery() as nursery,
    ):
        beat = encode_message({"identifier": "dev", "version": "0.9.7", "timestamp": 1.5})

        async def publish_heartbeats() -> None:
            while True:
                await service.publish(ApiTopic.HEARTBEAT, beat)
                await trio.sleep(0.05)

        nursery.start_soon(publish_heartbeats)
        await events.confirmed()
        await service.publish(EVENT, encode_message(event_payload(1)))
        for rubbish in (b"", b"rubbish", b"{}", b"\xff"):
            await service.publish(EVENT, rubbish)
        await service.publish(EVENT, encode_message_09(event_payload(2)))
        for index in (1, 2):
            event = await anext(events)
            assert isinstance(event, Event)
            assert event.index == index
        assert events.statistics.malformed == 4
        assert (await client.wait_present()).heartbeat is not None
        nursery.cancel_scope.cancel()


async def test_a_slow_reader_gets_all_that_the_service_has_kept() -> None:
    async with (
        service_of(KEPT) as service,
        client_of(service) as client,
        client.subscribe(ApiTopic.EVENT, queue=10) as events,
    ):
        await events.confirmed()
        for index in range(5000):
            send(service, index)
        await trio.sleep(0.3)
        found: list[int] = []
        while len(found) < 5000:
            event = await anext(events)
            assert isinstance(event, Event)
            found.append(event.index)
        assert found == list(range(5000))
        statistics = events.statistics
        assert statistics.recovered + statistics.received >= 5000
        assert statistics.recovered > 1000
        assert statistics.lost == 0


async def test_what_is_kept_no_more_is_a_gap() -> None:
    options = RpcOptions(subscriber_port=0, command_port=0, heartbeat_interval=0.1, replay=100, send_limit=10)
    async with (
        service_of(options) as service,
        client_of(service) as client,
        client.subscribe(ApiTopic.EVENT, queue=10) as events,
    ):
        await events.confirmed()
        for index in range(1, 5001):
            send(service, index)
        await trio.sleep(0.3)
        due = 1
        gaps = 0
        while due <= 5000:
            match await anext(events):
                case Gap(topic=ApiTopic.EVENT, first=first, last=last):
                    assert first == due
                    due = last + 1
                    gaps += 1
                case Event(sequence=number, index=index):
                    assert number == index == due
                    due += 1
                case other:
                    raise AssertionError(other)
        assert gaps
        assert events.statistics.lost > 0


async def test_without_replay_a_gap_is_told_at_once() -> None:
    async with (
        service_of(KEPT) as service,
        client_of(service) as client,
        client.subscribe(ApiTopic.EVENT, queue=10, replay=False) as events,
    ):
        await events.confirmed()
        for index in range(3000):
            send(service, index)
        await trio.sleep(0.3)
        with trio.fail_after(PATIENCE):
            while not isinstance(await anext(events), Gap):
                pass
        assert client.statistics().sent == 0


async def test_a_service_that_was_started_again_is_told_and_its_first_events_are_not_lost() -> None:
    async with service_of(KEPT) as service, client_of(service) as client:
        ports = service.subscriber_port, service.command_port
        options = RpcOptions(
            subscriber_port=ports[0], command_port=ports[1], heartbeat_interval=0.1, replay=100
        )
        async with client.subscribe(ApiTopic.EVENT) as events:
            await events.confirmed()
            send(service, 1)
            assert isinstance(await anext(events), Event)
            await service.stop()
            async with service_of(options) as second:
                for index in range(2, 5):
                    send(second, index)  # nobody is connected yet
                restarted = await anext(events)
                assert isinstance(restarted, Restarted)
                for index in range(2, 5):
                    event = await anext(events)
                    assert isinstance(event, Event)
                    assert (event.index, event.stream) == (index, restarted.stream)
            assert events.statistics.restarts == 1


async def test_the_oldest_make_room_where_that_was_asked_for() -> None:
    async with (
        BareService() as service,
        client_of(service) as client,
        client.subscribe(77, queue=10, slow="drop_oldest") as events,
    ):
        await trio.sleep(0.1)
        for number in range(300):
            await service.publish(77, b"%d" % number)
            await trio.sleep(0.0005)
        await trio.sleep(0.1)
        assert await anext(events) == Dropped(290)
        rest = [await anext(events) for _ in range(10)]
    assert [event.data for event in rest if isinstance(event, Published)] == list(range(290, 300))
    assert events.statistics.dropped == 290


async def test_many_events_can_be_taken_at_once() -> None:
    async with (
        service_of() as service,
        client_of(service) as client,
        client.subscribe(ApiTopic.EVENT) as events,
    ):
        await events.confirmed()
        for index in range(100):
            send(service, index)
        found: list[int] = []
        while len(found) < 100:
            found += [event.index for event in await events.receive_many() if isinstance(event, Event)]
    assert found == list(range(100))


async def test_two_tasks_cannot_read_one_subscription() -> None:
    async with (
        service_of() as service,
        client_of(service) as client,
        client.subscribe(77) as events,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(anext, events)
        await wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await anext(events)
        nursery.cancel_scope.cancel()


async def test_a_subscription_that_was_left_is_closed() -> None:
    async with service_of() as service, client_of(service) as client:
        async with client.subscribe(77) as events:
            pass
        async with client.subscribe(77, slow="drop_oldest") as latest:
            pass
        for subscription in (events, latest):
            with pytest.raises(trio.ClosedResourceError):
                await anext(subscription)


async def test_it_may_begin_before_the_service_does() -> None:
    async with BareService() as bare:
        ports = bare.subscriber_port, bare.command_port
    with trio.fail_after(PATIENCE):
        async with RpcClient("127.0.0.1", *ports) as client:
            with trio.move_on_after(0.1) as scope:
                async with client.subscribe(77):
                    pass
            assert scope.cancelled_caught
            async with client.subscribe(77, wait_connected=False) as events:
                options = RpcOptions(subscriber_port=ports[0], command_port=ports[1], heartbeat_interval=0.1)
                async with service_of(options) as service:
                    await events.confirmed()
                    service.send_dict(ApiTopic(77), {"some_key": 1})
                    event = await anext(events)
    assert isinstance(event, Published)
    assert event.data == {"some_key": 1}


async def test_bad_options_are_refused() -> None:
    client = RpcClient()
    with pytest.raises(ClientNotRunning):
        async with client.subscribe():
            pass
    async with client:
        with pytest.raises(InvalidSpec, match="topic='EVENT'"):
            async with client.subscribe("EVENT"):  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
                pass
        with pytest.raises(InvalidSpec, match="queue"):
            async with client.subscribe(queue=0):
                pass
        with pytest.raises(InvalidSpec, match="slow"):
            async with client.subscribe(slow="never"):  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
                pass


async def test_an_error_of_the_reader_comes_out_bare() -> None:
    async with service_of() as service, client_of(service) as client:
        for slow in ("wait", "drop_oldest"):
            with pytest.raises(ZeroDivisionError):
                async with client.subscribe(77, slow=slow):
                    raise ZeroDivisionError


async def test_presence_follows_the_service() -> None:
    with trio.fail_after(PATIENCE):
        async with service_of() as service:
            ports = service.subscriber_port, service.command_port
            async with RpcClient("127.0.0.1", *ports) as client, client.presence_changes() as changes:
                assert (await anext(changes)).state is PresenceState.UNKNOWN
                present = await client.wait_present()
                assert present.heartbeat is not None
                assert present.heartbeat.identifier == service.identifier
                await trio.sleep(0.5)
                assert client.presence.interval < 1.0
                await service.stop()
                states = [(await anext(changes)).state for _ in range(3)]
                assert states == [PresenceState.PRESENT, PresenceState.MISSING, PresenceState.GONE]
                options = RpcOptions(
                    subscriber_port=ports[0], command_port=ports[1], heartbeat_interval=0.1, replay=10
                )
                async with service_of(options):
                    assert (await anext(changes)).state is PresenceState.PRESENT


# Without sockets


class FakeSource:
    """Gives what it has, and then waits."""

    def __init__(self, batches: list[list[list[bytes]]]) -> None:
        self.batches = batches

    async def receive_many(self) -> Sequence[Sequence[bytes]]:
        await trio.lowlevel.checkpoint()
        if not self.batches:
            await trio.sleep_forever()
        return self.batches.pop(0)


async def no_answer(request: dict[str, object]) -> Reply | None:
    await trio.lowlevel.checkpoint()
    return None


def numbered(number: int) -> list[bytes]:
    payload = {**event_payload(number), "stream": "s", "sequence": number}
    return [encode_topic(EVENT), json.dumps(payload).encode()]


async def test_a_service_that_does_not_answer_holds_up_nothing() -> None:
    source = FakeSource([[numbered(1), numbered(3)]])
    subscription = Subscription(source, Reader([EVENT]), no_answer)
    assert isinstance(await anext(subscription), Event)
    assert await anext(subscription) == Gap(ApiTopic.EVENT, 2, 2)
    assert isinstance(await anext(subscription), Event)


async def test_others_have_their_turn_while_events_are_ready() -> None:
    source = FakeSource([[numbered(number) for number in range(1, 1001)]])
    subscription = Subscription(source, Reader([EVENT]), no_answer)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        for _ in range(1000):
            await anext(subscription)
        nursery.cancel_scope.cancel()
    assert turns >= 1000 // 64


async def test_the_latest_keeps_no_more_than_it_may() -> None:
    reader = Reader(None)
    latest = Latest(FakeSource([[[encode_topic(77), b"%d" % number]] for number in range(100)]), reader, 3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(latest.run)
        await wait_all_tasks_blocked()
        assert [payload for _, payload in await latest.receive_many()] == [b"97", b"98", b"99"]
        assert list(reader.ready) == [Dropped(97)]
        nursery.cancel_scope.cancel()
