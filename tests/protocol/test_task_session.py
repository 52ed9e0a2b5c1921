"""TaskSession beside its machine, and beside a plain model of turns."""

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import IllegalTransition, InvalidSpec, PeerError, ResultsMismatch
from aip_trio.messages import Command, Result, ResultStatus, TaskStatus, ToolType
from aip_trio.protocol import TASK_SESSION_MACHINE, TaskSession, TaskSessionEvent, TaskSessionState
from aip_trio.testing import machine_test
from tests.actors.model._settings import examples

ENDS = (TaskStatus.COMPLETED, TaskStatus.OK, TaskStatus.FAILED, TaskStatus.ERROR)


def commands(number: int, prefix: str = "call") -> list[Command]:
    return [
        Command(tool_name="look", tool_type=ToolType.ACTION, call_id=f"{prefix}-{index}")
        for index in range(number)
    ]


def results(number: int, prefix: str | None = None) -> list[Result]:
    return [
        Result(status=ResultStatus.SUCCESS, result=index, call_id=prefix and f"{prefix}-{index}")
        for index in range(number)
    ]


def running(session_id: str = "s") -> TaskSession:
    session = TaskSession(session_id)
    session.begin()
    return session


class RealSession:
    """A session; each event by the call that causes it."""

    def __init__(self) -> None:
        self.session = TaskSession("s")

    @property
    def state(self) -> TaskSessionState:
        return self.session.state

    def fire(self, event: TaskSessionEvent) -> None:
        calls: dict[TaskSessionEvent, Callable[[], object]] = {
            TaskSessionEvent.BEGIN: self.session.begin,
            TaskSessionEvent.COMMAND: lambda: self.session.command("r", commands(2)),
            TaskSessionEvent.RESULTS: lambda: self.session.results("r", results(2)),
            TaskSessionEvent.COMPLETE: lambda: self.session.end(TaskStatus.COMPLETED),
            TaskSessionEvent.FAIL: lambda: self.session.end(TaskStatus.FAILED),
            TaskSessionEvent.CANCEL: self.session.cancel,
        }
        turn, turns = self.session.turn, self.session.turns
        try:
            calls[event]()
        except (IllegalTransition, ResultsMismatch):
            assert (self.session.turn, self.session.turns) == (turn, turns)
            raise
        assert (self.session.turn is not None) == (self.state is TaskSessionState.AWAITING_RESULTS)
        assert self.session.done == (not TASK_SESSION_MACHINE.table[self.state])


TestSession = machine_test(
    TASK_SESSION_MACHINE, RealSession, refusals=(IllegalTransition, ResultsMismatch), settings=examples(50)
)


@examples(150)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.lists(st.tuples(st.sampled_from(["old", "other", None]), st.integers(0, 5)), max_size=2),
        ),
        max_size=6,
    )
)
def test_each_turn_takes_its_own_results_once_and_nothing_else(
    turns: list[tuple[int, list[tuple[str | None, int]]]],
) -> None:
    session = running()
    for number, (size, wrong) in enumerate(turns, 1):
        turn = session.command(f"r{number}", commands(size))
        assert session.turn is turn
        assert session.turns == number
        for response_id, count in wrong:
            if response_id == "old":
                response_id = f"r{number - 1}"
            with pytest.raises(ResultsMismatch):
                session.results(response_id, results(count))
        for count in {size + 1, abs(size - 1)}:
            with pytest.raises(ResultsMismatch, match=f"{count} results for {size} actions"):
                session.results(f"r{number}", results(count))
        assert session.results(f"r{number}", results(size)) == tuple(results(size))
        with pytest.raises(ResultsMismatch):
            session.results(f"r{number}", results(size))
    assert session.state is TaskSessionState.RUNNING


def test_results_that_name_another_actions_call_are_in_the_wrong_order() -> None:
    session = running()
    session.command("r", commands(3))
    swapped = results(3, "call")
    swapped[1], swapped[2] = swapped[2], swapped[1]
    with pytest.raises(ResultsMismatch, match="result 2 has call_id='call-2'"):
        session.results("r", swapped)
    assert session.results("r", results(3, "call")) == tuple(results(3, "call"))


@pytest.mark.parametrize("prefix", [None, "the-devices-own"])
def test_results_may_name_no_call_or_one_of_the_devices_own(prefix: str | None) -> None:
    session = running()
    session.command("r", commands(3))
    assert len(session.results("r", results(3, prefix))) == 3


def test_no_results_at_all_are_none() -> None:
    session = running()
    session.command("r", commands(1))
    with pytest.raises(ResultsMismatch, match="0 results for 1 actions"):
        session.results("r", None)


@pytest.mark.parametrize("status", ENDS)
def test_it_ends_once_as_the_status_says(status: TaskStatus) -> None:
    session = running()
    completed = status in (TaskStatus.COMPLETED, TaskStatus.OK)
    assert session.end(status) is (TaskSessionState.COMPLETED if completed else TaskSessionState.FAILED)
    assert session.done
    for again in ENDS:
        with pytest.raises(IllegalTransition):
            session.end(again)
    with pytest.raises(IllegalTransition):
        session.cancel()


def test_a_status_that_goes_on_ends_nothing() -> None:
    session = running()
    with pytest.raises(InvalidSpec, match="status"):
        session.end(TaskStatus.CONTINUE)
    assert session.state is TaskSessionState.RUNNING


def test_a_mismatch_is_the_peers_and_names_the_session() -> None:
    session = running("session-7")
    with pytest.raises(PeerError, match="session-7") as raised:
        session.results("r" * 100_000, [])
    session.command("r1", [])
    with pytest.raises(ResultsMismatch) as raised:
        session.results("r" * 100_000, [])
    assert len(str(raised.value)) < 500
    assert "'r1'" in str(raised.value)
