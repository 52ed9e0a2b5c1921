import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from aip_trio.cli.rpc._answer import Answer
from aip_trio.cli.rpc._telling import Told, told_data, told_line
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequestErrorKind,
    ApiCommandRequestResult,
    ApiEventKind,
    ApiTopic,
    CommandResult,
    Dropped,
    Event,
    Gap,
    Heartbeat,
    PropertyChange,
    Published,
    Reply,
    Restarted,
)
from tests.cli.fleet.test_orders import VALUES

NOON = datetime(2026, 1, 2, 12, 0, 1, tzinfo=UTC)

CHANGE = {"target": 1, "name": "cpu_percent", "new_value": 2.5, "old_value": None}

DONE = Reply(7, ApiCommand.USER_DEFINED, ApiCommandRequestResult.SUCCESS, {"a": 1})

TOLD: list[tuple[Told, str]] = [
    (
        Heartbeat(ApiTopic.HEARTBEAT, {}, None, None, "lab", "1.2", 3.5, None),
        "HEARTBEAT  lab, version 1.2",
    ),
    (
        Event(ApiTopic.EVENT, {}, "s", 4, ApiEventKind.emergencyStop, 1.5, 2, {"reason": "ü"}),
        'EVENT  emergencyStop  {"reason": "ü"}',
    ),
    (Event(ApiTopic.EVENT, {}, None, None, ApiEventKind(9001), 1.5, 2, None), "EVENT  9001"),
    (
        PropertyChange(ApiTopic.PROPERTY_CHANGE, CHANGE, None, None),
        "PROPERTY_CHANGE  1.cpu_percent: null -> 2.5",
    ),
    (PropertyChange(ApiTopic.PROPERTY_CHANGE, {"x": 1}, None, None), 'PROPERTY_CHANGE  {"x": 1}'),
    (
        CommandResult(ApiTopic.COMMAND_RESULT, {}, None, None, DONE),
        'COMMAND_RESULT  SUCCESS  USER_DEFINED  nonce 7  {"a": 1}',
    ),
    (Published(ApiTopic(7), b"\xff\n", None, None), r'7  "\\xff\n"'),
    (Published(ApiTopic(7), [1, "\x1b"], None, None), r'7  [1, "\u001b"]'),
    (Gap(ApiTopic.EVENT, 3, 7), "gap  EVENT  5 lost, numbers 3 to 7"),
    (Gap(ApiTopic.EVENT, 3, 3, 2), "gap  EVENT  1 lost, numbers 3 to 3; 2 near them were recovered"),
    (Dropped(9), "gap  9 dropped here, where they came faster than they were shown"),
    (Restarted("s"), "gap  the service has restarted: what it published last may be lost"),
]


@pytest.mark.parametrize(("told", "line"), TOLD)
def test_each_is_one_line_for_people(told: Told, line: str) -> None:
    assert told_line(told, NOON) == f"12:00:01  {line}"


@pytest.mark.parametrize("told", [told for told, _ in TOLD])
def test_each_has_its_type_for_programs(told: Told) -> None:
    found = json.loads(json.dumps(told_data(told)))
    types = ("published", "heartbeat", "event", "property_change", "command_result")
    assert found["type"] in (*types, "gap", "dropped", "restarted")


def test_programs_get_names_and_numbers_and_the_data() -> None:
    event = Event(ApiTopic(5), {"kind": 101}, "s", 4, ApiEventKind.emergencyStop, 1.5, 2, None)
    found = {"type": "event", "topic": 5, "kind": "emergencyStop", "sequence": 4, "data": {"kind": 101}}
    assert told_data(event) == found
    assert told_data(Gap(ApiTopic.EVENT, 3, 7, 1)) == {
        "type": "gap",
        "topic": "EVENT",
        "first": 3,
        "last": 7,
        "lost": 5,
        "recovered": 1,
    }


@given(VALUES | st.binary())
def test_whatever_is_published_is_one_printable_line(data: object) -> None:
    told = Published(ApiTopic(-3), data, None, None)
    assert told_line(told, NOON).isprintable()
    json.dumps(told_data(told))


@given(st.dictionaries(st.sampled_from(["target", "name", "new_value", "old_value", "more"]), VALUES))
def test_so_is_whatever_changes(data: dict[str, object]) -> None:
    told = PropertyChange(ApiTopic.PROPERTY_CHANGE, data, None, None)
    assert told_line(told, NOON).isprintable()


def test_an_answer_says_what_it_is_about_and_what_went_wrong() -> None:
    assert list(Answer(DONE, 0.0123).lines()) == ["SUCCESS  USER_DEFINED  (12.3 ms)", "    a: 1"]
    failed = Reply(
        0,
        ApiCommand.STOP_ACQUISITION,
        ApiCommandRequestResult.FAILED,
        None,
        ApiCommandRequestErrorKind.COMMAND_ERROR,
        7,
        "not\nnow",
    )
    assert list(Answer(failed, 1).lines()) == [
        r"FAILED  STOP_ACQUISITION  COMMAND_ERROR 7: not\nnow  (1000.0 ms)"
    ]
    assert Answer(failed, 1).data() == {
        "command": "STOP_ACQUISITION",
        "nonce": 0,
        "result": "FAILED",
        "data": None,
        "error_kind": "COMMAND_ERROR",
        "error_code": 7,
        "error_message": "not\nnow",
        "seconds": 1,
    }


@pytest.mark.parametrize(
    ("result", "good"),
    [
        (0, False),
        (100, True),
        (200, True),
        (201, True),
        (400, False),
        (500, False),
        (9999, False),
        (123, False),
    ],
)
def test_done_and_pending_are_good(result: int, good: bool) -> None:
    assert Answer(Reply(1, ApiCommand.NONE, ApiCommandRequestResult(result)), 0).good is good
