from datetime import UTC, datetime

from hypothesis import given, strategies as st

from aip_trio.rpc import ApiEventKind, ApiTopic
from aip_trio.rpc.bridge._recent import Recent
from aip_trio.rpc.bridge._record import Record

NOW = datetime(2026, 1, 1, tzinfo=UTC)

TOPICS = [ApiTopic.EVENT, ApiTopic.EMERGENCY, ApiTopic(7)]
KINDS = [None, ApiEventKind.emergencyStop, ApiEventKind(12345)]

records = st.builds(
    Record, st.sampled_from(TOPICS), st.text(max_size=40), st.just(NOW), st.sampled_from(KINDS)
)


@given(
    st.lists(records, max_size=40),
    st.integers(1, 20),
    st.one_of(st.none(), st.sampled_from(TOPICS)),
    st.one_of(st.none(), st.sampled_from(KINDS)),
)
def test_the_last_of_those_that_are_asked_for_in_their_order(
    given_records: list[Record], limit: int, topic: ApiTopic | None, kind: ApiEventKind | None
) -> None:
    recent = Recent(16, 1_000_000)
    for record in given_records:
        recent.add(record)
    wanted = [
        record
        for record in given_records[-16:]
        if (topic is None or record.topic == topic) and (kind is None or record.kind == kind)
    ]
    assert [each.message for each in recent.select(limit, topic, kind)] == [
        each.message for each in wanted[-limit:]
    ]


@given(st.lists(st.integers(0, 400), max_size=40))
def test_it_has_a_bound_in_bytes(lengths: list[int]) -> None:
    recent = Recent(1000, 3200)
    for length in lengths:
        recent.add(Record(ApiTopic.EVENT, "x" * length, NOW))
    kept = recent.select(1000)
    assert sum(record.size for record in kept) <= 3200
    assert len(recent) == len(kept)
    if lengths:
        assert kept[-1].size > 0


def test_what_is_large_is_kept_without_what_it_says() -> None:
    recent = Recent(10, 16 * 64)
    kept = recent.add(Record(ApiTopic.EVENT, "x" * 100, NOW, ApiEventKind.tunnelEnter))
    (record,) = recent.select(1)
    assert record is kept
    assert record.data() == {
        "topic": "EVENT",
        "received": "2026-01-01T00:00:00+00:00",
        "kind": "tunnelEnter",
        "message": {"omitted": "102 bytes, more than the 64 that are kept"},
    }


def test_what_no_fleet_can_be_told_is_said_to_be_left_out() -> None:
    recent = Recent(10, 1_000_000)
    for message in ({"number": 10**40}, {"text": "\ud800"}):
        recent.add(Record(ApiTopic.EVENT, message, NOW))
    for record in recent.select(2):
        assert "cannot be sent on: " in str(record.data()["message"])
