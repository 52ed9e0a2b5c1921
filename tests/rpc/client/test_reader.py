"""The reader beside a model of a service that numbers what it publishes, keeps some of it, and loses some."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator

import attrs
import pytest
from hypothesis import example, given, strategies as st

from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequestResult,
    ApiTopic,
    Dropped,
    Gap,
    Published,
    Reply,
    Restarted,
)
from aip_trio.rpc._wire import encode_topic
from aip_trio.rpc.client._reader import Reader, Typed
from tests.actors.model._settings import examples
from tests.rpc.client.events import EVENT, event_payload

_TOPICS: tuple[int, ...] = (4001, 7)
_HEARTBEAT = 1001


class Service:
    """Publishes on two topics, and keeps the last few events of each."""

    def __init__(self, number: int, kept: int, chunk: int) -> None:
        self.stream = f"stream-{number}"
        self._chunk = chunk
        self.last: dict[int, int] = dict.fromkeys(_TOPICS, 0)
        self._kept: dict[int, deque[dict[str, object]]] = {topic: deque(maxlen=kept) for topic in _TOPICS}

    def publish(self, topic: int) -> list[bytes]:
        self.last[topic] += 1
        event = {**event_payload(), "stream": self.stream, "sequence": self.last[topic]}
        self._kept[topic].append(event)
        return [encode_topic(topic), json.dumps(event).encode()]

    def heartbeat(self) -> list[bytes]:
        sequences = {str(topic): last for topic, last in self.last.items() if last}
        beat = {"identifier": "dev", "version": "1", "timestamp": 5, "sequences": sequences}
        return [encode_topic(_HEARTBEAT), json.dumps({**beat, "stream": self.stream, "sequence": 9}).encode()]

    def answer(self, request: dict[str, object]) -> Reply:
        """The reply to a REPLAY command."""
        if request["stream"] != self.stream:
            return Reply(1, ApiCommand.REPLAY, ApiCommandRequestResult.FAILED)
        topic, first, last = request["topic"], request["first"], request["last"]
        assert isinstance(topic, int)
        assert isinstance(first, int)
        assert isinstance(last, int)
        assert 1 <= first <= last <= self.last[topic]
        kept = self._kept[topic]
        # As it comes out of a decoded reply: new objects each time.
        events = [dict(event) for event in kept if first <= number_of(event) <= last][: self._chunk]
        data = {"stream": self.stream, "topic": topic, "first": 1, "events": events}
        return Reply(1, ApiCommand.REPLAY, ApiCommandRequestResult.SUCCESS, data)


def number_of(event: dict[str, object]) -> int:
    number = event["sequence"]
    assert isinstance(number, int)
    return number


@attrs.frozen
class Publish:
    topic: int
    comes: bool


@attrs.frozen
class Beat:
    comes: bool


@attrs.frozen
class Restart:
    pass


publish = st.builds(Publish, st.sampled_from(_TOPICS), st.booleans())
# Few restarts, so that much happens between them; and some programs without heartbeats, which tell so much.
without_heartbeats = st.lists(st.one_of(publish, publish, publish, st.builds(Restart)), max_size=20)
steps = without_heartbeats | st.lists(
    st.one_of(publish, publish, publish, st.builds(Beat, st.booleans()), st.builds(Restart)), max_size=40
)
small = st.integers(1, 5)


def serve(reader: Reader, service: Service, answers: Iterator[bool]) -> None:
    """Answer what the reader asks for, or not."""
    while (recovery := reader.recovery) is not None:
        if next(answers):
            reader.answered(service.answer(recovery.request))
        else:
            reader.unanswered()


def covered(typed: list[Typed]) -> list[dict[int, list[int]]]:
    """By stream and topic, the numbers that were delivered, or told to be lost, in their order."""
    streams: list[dict[int, list[int]]] = [{topic: [] for topic in _TOPICS}]
    for one in typed:
        match one:
            case Restarted():
                streams.append({topic: [] for topic in _TOPICS})
            case Gap(topic=topic, first=first, last=last):
                assert first <= last
                streams[-1][topic].extend(range(first, last + 1))
            case Published(topic=topic, sequence=int(number)):
                streams[-1][topic].append(number)
            case _:
                raise AssertionError(one)
    return streams


@examples(300)
@example([Beat(True), Restart(), Publish(7, False), Beat(True)], 5, 5, [True], True)
@example([Publish(7, True), Restart(), Publish(7, False), Publish(7, True)], 5, 5, [True], True)
@example([Beat(True), Publish(7, False), Beat(True)], 0, 5, [True], True)
@given(steps, st.integers(0, 5), small, st.lists(st.booleans(), min_size=1), st.booleans())
def test_each_message_is_delivered_in_order_or_told_to_be_lost(
    program: list[Publish | Beat | Restart], kept: int, chunk: int, answered: list[bool], replays: bool
) -> None:
    reader = Reader(_TOPICS, replays=replays)
    service = Service(0, kept, chunk)
    answers = iter(answered[index % len(answered)] for index in range(10_000))
    # What has to be covered, as far as it can be known: by stream and topic, where it begins and ends.
    begins: list[dict[int, int]] = [{}]
    ends: list[dict[int, int]] = [{}]
    streams = 0
    seen = True  # the first stream is the one we begin in

    def met() -> None:
        nonlocal seen
        if not seen:
            seen = True
            begins.append(dict.fromkeys(_TOPICS, 1))
            ends.append({})

    heard_any = False
    for step in program:
        match step:
            case Publish(topic, comes):
                message = service.publish(topic)
                if comes:
                    met()
                    heard_any = True
                    begins[-1].setdefault(topic, service.last[topic])
                    ends[-1][topic] = service.last[topic]
                    reader.take([message])
            case Beat(comes):
                beat = service.heartbeat()
                if comes:
                    met()
                    heard_any = True
                    for topic in _TOPICS:
                        begins[-1].setdefault(topic, service.last[topic] + 1)
                        ends[-1][topic] = service.last[topic]
                    reader.take([beat])
            case Restart():
                streams += 1
                service = Service(streams, kept, chunk)
                seen = seen and not heard_any
        serve(reader, service, answers)
    found = covered(list(reader.ready))
    assert len(found) == len(begins)
    for stream, begin, end in zip(found, begins, ends, strict=True):
        for topic in _TOPICS:
            assert stream[topic] == list(range(begin.get(topic, 1), end.get(topic, 0) + 1))
    statistics = reader.statistics
    gaps = [one for one in reader.ready if isinstance(one, Gap)]
    assert statistics.lost == sum(gap.lost for gap in gaps)
    assert statistics.malformed == statistics.again == 0
    assert statistics.restarts == len(found) - 1


@given(st.integers(1, 30), st.sets(st.integers(2, 30)), small)
def test_nothing_is_lost_that_the_service_has_kept(count: int, missing: set[int], chunk: int) -> None:
    reader = Reader(_TOPICS)
    service = Service(0, 1000, chunk)
    for number in range(1, count + 1):
        message = service.publish(EVENT)
        if number not in missing:
            reader.take([message])
    reader.take([service.heartbeat()])
    serve(reader, service, iter(lambda: True, None))
    assert covered(list(reader.ready)) == [{EVENT: list(range(1, count + 1)), 7: []}]
    assert not [one for one in reader.ready if isinstance(one, Gap)]
    assert reader.statistics.recovered == len(missing & set(range(1, count + 1)))


def test_what_is_kept_no_more_is_a_gap_with_the_numbers_that_are_lost() -> None:
    reader = Reader(_TOPICS)
    service = Service(0, 4, 100)
    reader.take([service.publish(EVENT)])
    for _ in range(9):
        service.publish(EVENT)
    reader.take([service.heartbeat()])
    serve(reader, service, iter(lambda: True, None))
    _, gap, *rest = reader.ready
    assert gap == Gap(ApiTopic.EVENT, 2, 6, 4)
    assert isinstance(gap, Gap)
    assert gap.lost == 5
    assert [one.sequence for one in rest if isinstance(one, Published)] == [7, 8, 9, 10]


def test_messages_behind_a_hole_wait_until_it_is_filled() -> None:
    reader = Reader(_TOPICS)
    service = Service(0, 100, 100)
    messages = [service.publish(EVENT) for _ in range(5)]
    reader.take([messages[0], messages[2], messages[3], messages[4]])
    assert len(reader.ready) == 1
    recovery = reader.recovery
    assert recovery is not None
    assert recovery.request == {"stream": "stream-0", "topic": EVENT, "first": 2, "last": 2}
    reader.take([service.publish(EVENT)])
    assert len(reader.ready) == 1
    serve(reader, service, iter(lambda: True, None))
    assert [one.sequence for one in reader.ready if isinstance(one, Published)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(1, ApiCommand.REPLAY, ApiCommandRequestResult.UNAVAILABLE),
        Reply(1, ApiCommand.USER_DEFINED, ApiCommandRequestResult.SUCCESS),
        Reply(1, ApiCommand.REPLAY, ApiCommandRequestResult.SUCCESS, {"events": [{"sequence": 2}]}),
        Reply(1, ApiCommand.REPLAY, ApiCommandRequestResult.SUCCESS, {"stream": "stream-0"}),
        Reply(1, ApiCommand.REPLAY, ApiCommandRequestResult.SUCCESS, {"stream": "stream-0", "events": []}),
        Reply(
            1,
            ApiCommand.REPLAY,
            ApiCommandRequestResult.SUCCESS,
            {"stream": "stream-0", "events": [5, {}, {"sequence": "2"}, {"sequence": 9}, {"sequence": 1}]},
        ),
    ],
)
def test_an_answer_without_the_messages_is_a_gap(reply: Reply) -> None:
    reader = Reader(_TOPICS)
    service = Service(0, 100, 100)
    first, _, third = (service.publish(EVENT) for _ in range(3))
    reader.take([first, third])
    reader.answered(reply)
    assert list(reader.ready)[1] == Gap(ApiTopic.EVENT, 2, 2)
    assert reader.recovery is None


def test_a_message_that_comes_again_is_left_out() -> None:
    reader = Reader(_TOPICS)
    message = Service(0, 100, 100).publish(EVENT)
    reader.take([message, message])
    assert len(reader.ready) == 1
    assert reader.statistics.again == 1


def test_a_recovered_message_that_is_none_is_counted_and_kills_nobody() -> None:
    reader = Reader(_TOPICS)
    service = Service(0, 100, 100)
    messages = [service.publish(EVENT) for _ in range(3)]
    reader.take([messages[0], messages[2]])
    recovery = reader.recovery
    assert recovery is not None
    data = {"stream": "stream-0", "events": [{"sequence": 2, "stream": "stream-0", "kind": "none"}]}
    reader.answered(Reply(1, ApiCommand.REPLAY, ApiCommandRequestResult.SUCCESS, data))
    assert [one.sequence for one in reader.ready if isinstance(one, Published)] == [1, 3]
    assert reader.statistics.malformed == 1


@pytest.mark.parametrize(
    "frames",
    [[], [b""], [b"abc", b"{}"], [encode_topic(EVENT)], [encode_topic(EVENT), b"{"], [b"", b"", b""]],
)
def test_a_malformed_message_is_counted_and_told_and_kills_nobody(frames: list[bytes]) -> None:
    reader = Reader(_TOPICS)
    reader.take([frames, [encode_topic(EVENT), json.dumps(event_payload()).encode()]])
    assert len(reader.ready) == 1
    assert reader.statistics.malformed == 1
    assert reader.statistics.last_malformed


def test_heartbeats_are_delivered_only_where_they_are_wanted() -> None:
    beat = Service(0, 0, 1).heartbeat()
    unwanted, wanted, everything = Reader(_TOPICS), Reader([_HEARTBEAT]), Reader(None)
    for reader in (unwanted, wanted, everything):
        assert not reader.confirmed
        reader.take([beat])
        assert reader.confirmed
    assert [len(reader.ready) for reader in (unwanted, wanted, everything)] == [0, 1, 1]


def test_messages_without_numbers_are_delivered_as_they_come() -> None:
    reader = Reader(None)
    reader.take([[encode_topic(EVENT), json.dumps(event_payload()).encode()]] * 3)
    reader.take([[encode_topic(123), b"text"]])
    assert len(reader.ready) == 4


def test_made_up_topics_do_not_fill_the_memory() -> None:
    reader = Reader(None)
    for topic in range(10_000, 16_000):
        for number in (1, 5):
            payload = json.dumps({"stream": "s", "sequence": number}).encode()
            reader.take([[encode_topic(topic), payload]])
            while reader.recovery is not None:
                reader.unanswered()
    assert len(reader._sequences._due) == 4096
    assert reader.statistics.received == 12_000
    assert reader.statistics.lost == 4096 * 3  # the others are taken as they come


def test_what_was_thrown_away_unread_is_told_in_its_place() -> None:
    reader = Reader(None)
    reader.dropped(3)
    reader.take([[encode_topic(123), b"text"]])
    assert next(iter(reader.ready)) == Dropped(3)
    assert reader.statistics.dropped == 3
