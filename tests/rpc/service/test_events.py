"""Events over real sockets: what is published, in which order, what is refused, and what can be had again."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
import trio

from aip_trio.actors import RealEnvironment, open_system
from aip_trio.errors import EncodeError
from aip_trio.rpc import (
    ApiEvent,
    ApiEventKind,
    ApiTopic,
    RpcOptions,
    RpcService,
    RpcServiceState,
)
from tests.rpc.service.support import RESULT, Subscriber, ask, request, serving, subscribed, until

EVENT = {"kind": 301, "when": 1.5, "index": 7, "context": {"some_key": "some_value"}}
ON_THE_WIRE = {"kind": 301, "when": 1.5, "index": 7, "context": {"someKey": "some_value"}}


async def messages(events: Subscriber, count: int) -> list[tuple[int, Any]]:
    return [await events.receive() for _ in range(count)]


@pytest.mark.trio
async def test_a_message_goes_to_those_who_want_its_topic() -> None:
    async with serving() as service, subscribed(service) as all_of_them, subscribed(service, 5001) as some:
        assert service.send(ApiTopic.EVENT, b"\x00raw")
        assert service.send_string(7, "a text: ä")
        assert service.send_dict(ApiTopic.PROPERTY_CHANGE, {"some_key": 1})
        assert await messages(all_of_them, 3) == [
            (4001, b"\x00raw"),
            (7, "a text: ä".encode()),
            (5001, {"someKey": 1}),
        ]
        assert await some.receive() == (5001, {"someKey": 1})


@pytest.mark.trio
@pytest.mark.parametrize("kind", [ApiEventKind.emergencyStop, ApiEventKind.emergencyResume, 101])
async def test_an_emergency_goes_out_on_its_own_topic_first(kind: int) -> None:
    event = EVENT | {"kind": kind}
    wire = ON_THE_WIRE | {"kind": int(kind)}
    async with serving() as service, subscribed(service, 2001, 4001) as events:
        assert service.send_event(ApiEvent(kind, 1.5, 7, {"some_key": "some_value"}))
        assert service.send_event_dict(event)
        assert service.send_dict(ApiTopic.EVENT, event)
        assert await messages(events, 6) == [(2001, wire), (4001, wire)] * 3
        assert service.send_dict(ApiTopic.EMERGENCY, event)
        assert service.send_dict(ApiTopic.EVENT, EVENT)
        assert await messages(events, 2) == [(2001, wire), (4001, ON_THE_WIRE)]


@pytest.mark.trio
async def test_an_event_of_a_kind_that_nobody_knows_is_published() -> None:
    async with serving() as service, subscribed(service, 4001) as events:
        for kind in (8765, [1], None):
            assert service.send_event({"kind": kind})
            assert await events.receive() == (4001, {"kind": kind})


@pytest.mark.trio
async def test_messages_of_many_threads_all_arrive_each_threads_in_order() -> None:
    threads, each = 4, 500

    async with serving(send_limit=10_000) as service, subscribed(service, 5001) as events:

        def send(name: int) -> None:
            for number in range(each):
                assert service.send_dict(ApiTopic.PROPERTY_CHANGE, {"name": name, "number": number})

        workers = [threading.Thread(target=send, args=(name,)) for name in range(threads)]
        for worker in workers:
            worker.start()
        got = [payload for _, payload in await messages(events, threads * each)]
        for worker in workers:
            worker.join()
        for name in range(threads):
            assert [one["number"] for one in got if one["name"] == name] == list(range(each))


@pytest.mark.trio
async def test_what_does_not_fit_into_the_queue_is_refused_and_counted() -> None:
    async with serving(queue=3) as service:
        await until(lambda: not service.statistics().queued)  # the heartbeat
        assert service.send(1, b"1")
        assert service.send_dict(1, {})
        assert not service.send_event(EVENT | {"kind": 101})  # it takes two
        assert service.send(1, b"3")
        assert not service.send(1, b"4")
        assert (service.statistics().queued, service.statistics().dropped) == (3, 3)
        await until(lambda: not service.statistics().queued)
        assert service.send(1, b"5")
        await until(lambda: service.statistics().published == {1001: 1, 1: 4})


@pytest.mark.trio
async def test_before_the_start_and_after_the_stop_nothing_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    async with open_system():
        service = RpcService(RpcOptions(subscriber_port=0, command_port=0))
        assert not service.send(1, b"")
        assert not service.send_event(EVENT)
        await service.start()
        assert service.send(1, b"")
        await service.stop()
        assert service.state is RpcServiceState.STOPPED
        assert not service.send(1, b"")
        assert not service.send_dict(1, {})
        assert service.statistics().published[1] == 1
    told = [record.getMessage() for record in caplog.records if "not sent" in record.getMessage()]
    assert len(told) == 2  # once each: a thread that goes on does not fill the log


@pytest.mark.trio
@pytest.mark.parametrize("message", [{"a": object()}, [1], "text", None])
async def test_what_has_no_form_on_the_wire_is_an_error_of_the_caller(message: Any) -> None:
    async with serving() as service:
        with pytest.raises(EncodeError):
            service.send_dict(ApiTopic.EVENT, message)
        with pytest.raises(EncodeError, match="send_string"):
            service.send(ApiTopic.EVENT, "text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        with pytest.raises(EncodeError, match="surrogates"):
            service.send_string(ApiTopic.EVENT, "\ud800")
        for topic in (-1, 1 << 32):
            with pytest.raises(EncodeError, match="4 bytes"):
                service.send_dict(topic, {})


@pytest.mark.trio
async def test_the_old_dialect_is_a_string_that_holds_the_object() -> None:
    async with serving(dialect="0.9", replay=5) as service, subscribed(service, 4001, 5001) as events:
        service.send_event(EVENT)
        _, text = await events.receive()
        assert isinstance(text, str)
        payload = json.loads(text)
        assert {key: payload[key] for key in EVENT} == ON_THE_WIRE
        assert payload["sequence"] == 1
        service.send(5001, b'{"a":1}')
        assert (await events.receive())[1]["a"] == 1


# Heartbeats


class Clock(RealEnvironment):
    """A world in which it is 2001."""

    def now(self) -> datetime:
        return datetime(2001, 1, 1, tzinfo=UTC)


@pytest.mark.trio
async def test_heartbeats_come_at_once_and_then_again_and_again() -> None:
    with trio.fail_after(10):
        async with open_system(environment=Clock()):
            options = RpcOptions(True, "dev-1", 0.02, 0, 0)
            service = RpcService(options)
            await service.start()
            await until(lambda: service.statistics().published)
            async with subscribed(service, 1001) as events:
                for topic, beat in await messages(events, 3):
                    assert topic == 1001
                    assert beat["identifier"] == "dev-1"
                    assert beat["timestamp"] == datetime(2001, 1, 1, tzinfo=UTC).timestamp()
                    assert sorted(beat) == ["identifier", "timestamp", "version"]
            await service.stop()


@pytest.mark.trio
async def test_the_first_heartbeat_does_not_wait_for_the_interval() -> None:
    async with serving(heartbeat_interval=3600) as service:
        await until(lambda: service.statistics().published == {1001: 1})


# Replay


def plain(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key not in ("stream", "sequence")}


async def replay(service: RpcService, **data: object) -> dict[str, Any]:
    (reply,) = await ask(service, request(90001, nonce=5, data=data))
    assert (reply["command"], reply["nonce"]) == (90001, 5)
    return reply


@pytest.mark.trio
async def test_with_replay_objects_are_numbered_and_the_last_are_kept() -> None:
    async with serving(replay=3) as service, subscribed(service, 4001) as events:
        for index in range(5):
            service.send_event(EVENT | {"index": index})
        service.send(4001, b" {} ")
        service.send(4001, b"no object")
        service.send(4001, b"[]")
        got = [payload for _, payload in await messages(events, 8)]
        assert [plain(each) for each in got[:5]] == [ON_THE_WIRE | {"index": index} for index in range(5)]
        assert [each["sequence"] for each in got[:6]] == [1, 2, 3, 4, 5, 6]
        assert got[6:] == [b"no object", []]
        stream = got[0]["stream"]
        reply = await replay(service, stream=stream, topic=4001, first=1, last=5)
        assert reply["result"] == RESULT.SUCCESS
        assert reply["data"] == {"stream": stream, "topic": 4001, "first": 4, "events": got[3:5]}
        assert service.statistics().replayed == 2


@pytest.mark.trio
async def test_a_heartbeat_tells_the_last_numbers() -> None:
    async with serving(replay=3, heartbeat_interval=0.02) as service, subscribed(service, 1001) as events:
        service.send_event(EVENT)
        await until(lambda: service.statistics().published.get(4001))
        last = service.statistics().published[1001]
        while (beat := (await events.receive())[1])["sequence"] < last + 2:
            pass
        assert beat["sequences"]["4001"] == 1


@pytest.mark.trio
async def test_a_replay_that_makes_no_sense_fails_and_says_why() -> None:
    async with serving(replay=3) as service, subscribed(service, 4001) as events:
        service.send_event(EVENT)
        stream = (await events.receive())[1]["stream"]
        whole = {"stream": stream, "topic": 4001, "first": 1, "last": 1}
        for data, named in (
            (whole | {"stream": "other"}, "stream"),
            (whole | {"first": "1"}, "integers"),
            (whole | {"last": None}, "integers"),
            (whole | {"topic": True}, "integers"),
        ):
            reply = await replay(service, **data)
            assert (reply["result"], reply["errorCode"]) == (RESULT.FAILED, 1)
            assert named in reply["errorMessage"]
        (reply,) = await ask(service, request(90001))
        assert reply["result"] == RESULT.FAILED


@pytest.mark.trio
async def test_without_replay_nothing_is_added_and_a_replay_is_unavailable() -> None:
    async with serving() as service, subscribed(service, 4001) as events:
        service.send_event(EVENT)
        assert await events.receive() == (4001, ON_THE_WIRE)
        reply = await replay(service, stream="", topic=4001, first=1, last=1)
        assert reply["result"] == RESULT.UNAVAILABLE


@pytest.mark.trio
@pytest.mark.parametrize("key", ["stream", "sequence"])
async def test_with_replay_its_keys_are_its_own(key: str) -> None:
    async with serving(replay=3) as service:
        with pytest.raises(EncodeError, match=key):
            service.send_dict(ApiTopic.EVENT, {key: 1})
        with pytest.raises(EncodeError, match=key):
            service.send_string(ApiTopic.EVENT, json.dumps({key: 1}))


@attrs.frozen
class Reading:
    device_id: str
    at: datetime


@pytest.mark.trio
async def test_values_of_a_programs_own_classes_are_written() -> None:
    at = datetime(2001, 1, 1, tzinfo=UTC)
    async with serving() as service, subscribed(service, 5001) as events:
        service.send_dict(ApiTopic.PROPERTY_CHANGE, {"last_reading": Reading("a_b", at)})
        assert (await events.receive())[1] == {"lastReading": {"deviceId": "a_b", "at": at.timestamp()}}
