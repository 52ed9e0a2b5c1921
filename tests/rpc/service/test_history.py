"""What is numbered, kept, and brought again."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aip_trio.rpc.service._history import History

EVENT, OTHER = 4001, 5001


def numbers(events: "list[bytes] | Any") -> list[int]:
    return [json.loads(event)["sequence"] for event in events]


@pytest.mark.parametrize("event", [b"{}", b"{ }", b'{"a":1}', b'{"a": "}"}', b'{\n"a":{}\n}'])
def test_a_stamped_event_is_the_object_with_two_more_keys(event: bytes) -> None:
    stamped = json.loads(History("s", 1).stamp(EVENT, event))
    assert stamped == json.loads(event) | {"stream": "s", "sequence": 1}


def test_each_topic_is_numbered_from_one() -> None:
    history = History("s", 3)
    assert numbers([history.stamp(topic, b"{}") for topic in (EVENT, EVENT, OTHER, EVENT)]) == [1, 2, 1, 3]
    assert history.sequences == {"4001": 3, "5001": 1}


def test_a_topic_without_events_says_what_comes_next() -> None:
    found = History("s", 3).replay(EVENT, 1, 10)
    assert (found.first, list(found.events)) == (1, [])


def test_an_answer_holds_at_most_512_events() -> None:
    history = History("s", 1000)
    for _ in range(1000):
        history.stamp(EVENT, b"{}")
    assert numbers(history.replay(EVENT, 1, 1000).events) == list(range(1, 513))
    assert numbers(history.replay(EVENT, 513, 1000).events) == list(range(513, 1001))


def test_an_answer_holds_about_a_mebibyte_but_always_one_event() -> None:
    history = History("s", 10)
    large = b'{"a":"%b"}' % (b"x" * 600_000)
    for event in (large, large, b'{"a":"%b"}' % (b"x" * 2_000_000), b"{}"):
        history.stamp(EVENT, event)
    assert numbers(history.replay(EVENT, 1, 4).events) == [1]
    assert numbers(history.replay(EVENT, 3, 4).events) == [3]
    assert numbers(history.replay(EVENT, 4, 4).events) == [4]


@given(
    kept=st.integers(1, 6),
    topics=st.lists(st.sampled_from([EVENT, OTHER]), max_size=20),
    first=st.integers(-3, 25),
    last=st.integers(-3, 25),
)
def test_a_replay_is_what_is_kept_of_the_range(kept: int, topics: list[int], first: int, last: int) -> None:
    history = History("s", kept)
    model: dict[int, list[bytes]] = {EVENT: [], OTHER: []}
    for number, topic in enumerate(topics):
        model[topic].append(history.stamp(topic, b'{"n":%d}' % number))
    for topic, events in model.items():
        found = history.replay(topic, first, last)
        oldest = max(len(events) - kept, 0) + 1
        assert found.first == oldest
        assert list(found.events) == events[max(first, oldest) - 1 : max(last, 0)]


@pytest.mark.parametrize("first", [-(10**30), 1, 10**30])
@pytest.mark.parametrize("last", [-(10**30), 10**30])
def test_a_range_may_be_of_any_integers(first: int, last: int) -> None:
    history = History("s", 2)
    for _ in range(3):
        history.stamp(EVENT, b"{}")
    expected = [2, 3] if first <= 3 <= last else []
    assert numbers(history.replay(EVENT, first, last).events) == expected
