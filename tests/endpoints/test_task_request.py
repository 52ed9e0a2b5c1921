"""What an orchestrator asks for, and what comes of it, as plain values."""

from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from aip_trio.endpoints import AgentProfile, ExecutionResult, TaskRequest
from aip_trio.errors import InvalidSpec
from aip_trio.messages import TaskStatus

TEXT = st.text(max_size=5)
GOOD: dict[str, st.SearchStrategy[Any]] = {
    "request": TEXT,
    "task_name": TEXT,
    "session_id": TEXT,
    "metadata": st.dictionaries(TEXT, st.integers(), max_size=2),
    "timeout": st.floats(0, 1e9) | st.integers(0, 10),
}


@given(st.fixed_dictionaries({}, optional={key: st.none() | value for key, value in GOOD.items()}), TEXT)
def test_a_dict_becomes_a_request_for_the_device(given: dict[str, Any], device_id: str) -> None:
    before = dict(given)
    request = TaskRequest.of(given, device_id)
    assert given == before
    assert request.device_id == device_id
    for key, value in given.items():
        name = "task_id" if key == "session_id" else key
        if value is not None:
            assert getattr(request, name) == value
    if given.get("session_id") is None:
        assert len(request.task_id) == 32
    if given.get("timeout") is None:
        assert request.timeout == 300.0
    assert TaskRequest.of(request, "other") == attrs.evolve(request, device_id="other")


def test_what_is_left_out_is_made() -> None:
    one, two = TaskRequest.of({}, "dev-1"), TaskRequest.of({"task_id": "t"}, "dev-1")
    assert one.task_id != TaskRequest.of({}, "dev-1").task_id
    assert two.task_id == "t"
    assert (one.request, one.task_name, one.metadata, one.timeout) == ("", "", {}, 300.0)
    assert one.created_at.tzinfo is not None
    assert TaskRequest.of({"device_id": "ignored"}, "dev-1").device_id == "dev-1"
    assert TaskRequest.of({"timeout": 0}, "dev-1").timeout == 0


@pytest.mark.parametrize(
    "given",
    [
        {"colour": "red"},
        {"request": 7},
        {"session_id": b"s"},
        {"task_id": ["s"]},
        {"metadata": ["a"]},
        {"timeout": "5"},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"task_name": {}},
    ],
    ids=str,
)
def test_what_is_wrong_with_a_dict_is_named(given: dict[str, Any]) -> None:
    (key,) = given
    with pytest.raises(InvalidSpec, match=key):
        TaskRequest.of(given, "dev-1")


def test_a_session_id_and_a_task_id_are_one_thing() -> None:
    with pytest.raises(InvalidSpec, match="task_id"):
        TaskRequest.of({"session_id": "a", "task_id": "b"}, "dev-1")
    assert TaskRequest.of({"session_id": "a", "task_id": "a"}, "dev-1").task_id == "a"


@given(st.sampled_from(TaskStatus))
def test_a_result_knows_whether_it_is_one(status: TaskStatus) -> None:
    result = ExecutionResult(task_id="t", status=status)
    assert result.completed is (status is TaskStatus.COMPLETED)
    assert (result.error, result.result, dict(result.metadata)) == (None, None, {})


def test_a_profile_has_the_fields_that_programs_know() -> None:
    profile = AgentProfile(device_id="dev-1", server_url="ws://x/ws")
    assert (profile.status, profile.connection_attempts, profile.max_retries) == ("disconnected", 0, 5)
    assert (profile.os, profile.capabilities, profile.metadata) == (None, (), {})
    assert (profile.last_heartbeat, profile.current_task_id) == (None, None)
    other = AgentProfile(device_id="dev-1", server_url="ws://x/ws")
    assert profile == other
    assert profile.metadata is not other.metadata
