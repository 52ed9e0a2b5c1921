"""The turns of a session: what is remembered, and which answer is due, against a model."""

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import ResultsMismatch
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Command,
    Result,
    ResultStatus,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    ToolType,
)
from aip_trio.protocol import (
    AIPProtocol,
    Chain,
    ChainMiddleware,
    ChainTracker,
    ChainTurn,
    TaskSession,
)
from aip_trio.transport import MemoryTransport

LOOK = Command(tool_name="look", tool_type=ToolType.DATA_COLLECTION, call_id="c")
SEEN = Result(status=ResultStatus.SUCCESS, result="seen", call_id="c")

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("command"), st.sampled_from("abc"), st.integers(0, 3)),
        st.tuples(st.just("results"), st.sampled_from("abc"), st.integers(0, 60)),
        st.tuples(st.just("close"), st.just(""), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS, st.integers(1, 5), st.integers(1, 100))
def test_it_remembers_the_last_turns_with_their_results(
    steps: list[tuple[str, str, int]], max_turns: int, max_size: int
) -> None:
    chain = Chain("s", max_turns=max_turns, max_size=max_size)
    turns: list[ChainTurn] = []  # all that ever were
    sizes: list[int] = []
    due = False
    for what, name, number in steps:
        if what == "command":
            chain.command(name, [LOOK] * number)
            turns.append(ChainTurn(len(turns) + 1, name, (LOOK,) * number))
            sizes.append(0)
            due = True
        elif what == "close":
            chain.close()
            due = False
        elif due and turns[-1].response_id == name:
            results = (SEEN,) * len(turns[-1].commands)
            assert chain.results(name, list(results), number) == results
            last = turns[-1]
            turns[-1] = ChainTurn(last.number, last.response_id, last.commands, results)
            sizes[-1] = number
            due = False
        else:
            with pytest.raises(ResultsMismatch):
                chain.results(name, [SEEN] * 9, number)
        assert chain.count == len(turns)
        assert chain.expected == (turns[-1].response_id if due else None)
        assert (chain.open is not None) == due
        kept = chain.turns
        assert list(kept) == turns[len(turns) - len(kept) :]
        assert len(kept) <= max_turns + due
        assert sum(sizes[len(turns) - len(kept) :]) <= max_size
        forgotten = len(turns) - len(kept)
        if forgotten:  # with one more it would have been too many, or too much
            assert len(kept) - due == max_turns or sum(sizes[forgotten - 1 :]) > max_size


def test_an_answer_that_names_other_commands_is_told_which_were_due() -> None:
    chain = Chain("s")
    chain.command("r2", [LOOK])
    with pytest.raises(ResultsMismatch, match=r"'r1' is not that of its commands, 'r2'"):
        chain.results("r1", [SEEN])
    assert chain.results("r2", [SEEN]) == (SEEN,)
    with pytest.raises(ResultsMismatch, match="no commands of it wait"):
        chain.results("r2", [SEEN])


def test_a_task_session_keeps_its_chain_and_its_end_closes_it() -> None:
    session = TaskSession("s")
    session.begin()
    session.command("r1", [LOOK])
    session.results("r1", [SEEN], 10)
    session.command("r2", [LOOK, LOOK])
    assert [(turn.response_id, turn.results) for turn in session.chain.turns] == [
        ("r1", (SEEN,)),
        ("r2", None),
    ]
    assert session.turns == 2
    session.end(TaskStatus.COMPLETED)
    assert session.chain.expected is None
    assert session.turn is None


# Followed from the messages


def command(session_id: str = "s", response_id: str | None = "r1") -> ServerMessage:
    return ServerMessage(
        type=ServerMessageType.COMMAND,
        status=TaskStatus.CONTINUE,
        session_id=session_id,
        response_id=response_id,
        actions=[LOOK],
    )


def results(session_id: str = "s", prev_response_id: str | None = "r1") -> ClientMessage:
    return ClientMessage(
        type=ClientMessageType.COMMAND_RESULTS,
        status=TaskStatus.CONTINUE,
        session_id=session_id,
        prev_response_id=prev_response_id,
        action_results=[SEEN],
    )


def end(session_id: str = "s") -> ServerMessage:
    return ServerMessage(type=ServerMessageType.TASK_END, status=TaskStatus.COMPLETED, session_id=session_id)


def test_a_tracker_keeps_the_chain_of_each_session_until_its_end() -> None:
    tracker = ChainTracker()
    for session in "ab":
        tracker.pass_on(command(session))
    tracker.pass_on(results("a"))
    tracker.pass_on(command("a", "r2"))
    chain = tracker.chain("a")
    assert chain is not None
    assert [turn.results for turn in chain.turns] == [(SEEN,), None]
    with pytest.raises(ResultsMismatch, match="'r2'"):
        tracker.pass_on(results("a", "r1"))
    tracker.pass_on(results("b"))
    tracker.pass_on(end("a"))
    assert tracker.chain("a") is None
    assert len(tracker) == 1


def test_what_a_tracker_has_not_seen_the_beginning_of_it_does_not_judge() -> None:
    tracker = ChainTracker()
    tracker.pass_on(results("a", "unknown"))
    tracker.pass_on(command("a", None))
    tracker.pass_on(results("a", None))
    assert len(tracker) == 0


def test_a_session_that_is_asked_for_again_begins_anew() -> None:
    tracker = ChainTracker()
    tracker.pass_on(command())
    again = ClientMessage(type=ClientMessageType.TASK, status=TaskStatus.CONTINUE, session_id="s")
    tracker.pass_on(again)
    assert tracker.chain("s") is None


def test_a_tracker_forgets_those_that_stood_still_longest() -> None:
    tracker = ChainTracker(limit=3)
    for number in range(3):
        tracker.pass_on(command(f"s{number}"))
    tracker.pass_on(command("s0", "r2"))
    tracker.pass_on(command("s3"))
    assert [tracker.chain(f"s{number}") is not None for number in range(4)] == [True, False, True, True]


@pytest.mark.trio
async def test_as_middleware_it_refuses_what_does_not_belong_and_the_next_one_is_taken() -> None:
    near, far = (AIPProtocol(transport) for transport in MemoryTransport.pair())
    middleware = ChainMiddleware()
    near.add_middleware(middleware)
    await near.send_message(command())
    await far.send_message(results(prev_response_id="r0"))
    await far.send_message(results())
    with pytest.raises(ResultsMismatch, match="'r1'"):
        await near.receive_message(ClientMessage)
    assert await near.receive_message(ClientMessage) == results()
    chain = middleware.chain("s")
    assert chain is not None
    assert chain.turns == (ChainTurn(1, "r1", (LOOK,), (SEEN,)),)


@pytest.mark.trio
async def test_at_the_device_it_follows_its_own_answers() -> None:
    near, far = (AIPProtocol(transport) for transport in MemoryTransport.pair())
    middleware = ChainMiddleware()
    near.add_middleware(middleware)
    await far.send_message(command())
    await near.receive_message()
    await near.send_message(results(prev_response_id="r0"))  # the server will say so
    await near.send_message(results())
    chain = middleware.chain("s")
    assert chain is not None
    assert chain.turns[-1].results == (SEEN,)
