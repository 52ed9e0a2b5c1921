from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from aip_trio.rpc import ApiEventKind, ApiTopic
from aip_trio.rpc.bridge._facts import Facts
from aip_trio.rpc.bridge._record import Record

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def told(facts: Facts) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.json.decode(msgspec.json.encode(facts.data())))


def test_at_first_there_is_nothing_to_tell() -> None:
    assert told(Facts()) == {
        "status": None,
        "status_received": None,
        "published": {},
        "missed": 0,
        "last_events": {},
    }


def test_it_counts_what_was_published_and_what_was_missed() -> None:
    facts = Facts()
    for topic in (ApiTopic.EVENT, ApiTopic.EVENT, ApiTopic(7)):
        facts.published(topic)
    facts.missed(3)
    facts.missed(2)
    assert told(facts)["published"] == {"EVENT": 2, "UNKNOWN_7": 1}
    assert told(facts)["missed"] == 5


def test_it_has_the_last_event_of_each_kind() -> None:
    facts = Facts()
    for number in range(3):
        facts.happened(Record(ApiTopic.EVENT, {"index": number}, NOW, ApiEventKind.tunnelEnter))
    facts.happened(Record(ApiTopic.PROPERTY_CHANGE, {"index": 9}, NOW))
    assert told(facts)["last_events"] == {
        "tunnelEnter": {
            "topic": "EVENT",
            "received": "2026-01-01T00:00:00+00:00",
            "kind": "tunnelEnter",
            "message": {"index": 2},
        }
    }


def test_a_status_has_its_time() -> None:
    facts = Facts()
    facts.answered({"mode": "idle"}, NOW)
    assert told(facts)["status"] == {"mode": "idle"}
    assert told(facts)["status_received"] == "2026-01-01T00:00:00+00:00"


def test_a_device_that_makes_names_up_fills_no_memory() -> None:
    facts = Facts()
    for number in range(1000):
        facts.published(ApiTopic(10_000 + number))
        facts.happened(Record(ApiTopic.EVENT, "x" * 100_000, NOW, ApiEventKind(20_000 + number)))
    facts.answered("x" * 1_000_000, NOW)
    known = told(facts)
    assert sum(known["published"].values()) == 1000
    assert known["published"]["other"] == 936
    assert list(known["last_events"]) == [f"UNKNOWN_{20_000 + number}" for number in range(936, 1000)]
    assert len(msgspec.json.encode(known)) < 200_000
