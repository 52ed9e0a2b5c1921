"""The agenda against a list of what should be there."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aip_trio.endpoints.device._agenda import REMEMBERED, Agenda, Entry
from aip_trio.messages import Command, Result, ResultStatus, RunCommands, ToolType

SESSIONS = st.sampled_from(["a", "b", "c"])
LIMIT = 4
RESULTS = [Result(status=ResultStatus.SUCCESS)]


class AgendaModel(RuleBasedStateMachine):
    """A plain list, and what is in hand."""

    def __init__(self) -> None:
        super().__init__()
        self.agenda = Agenda(LIMIT)
        self.waiting: list[RunCommands] = []
        self.in_hand: RunCommands | None = None
        self.answered: list[RunCommands] = []
        self.number = 0

    @rule(session=SESSIONS)
    def add(self, session: str) -> None:
        self.number += 1
        batch = RunCommands((), session, str(self.number))
        fits = len(self.waiting) < LIMIT
        assert self.agenda.add(batch, once=True) is (Entry.TAKEN if fits else Entry.FULL)
        if fits:
            self.waiting.append(batch)

    @rule()
    def take_next(self) -> None:
        taken = self.agenda.next()
        if self.in_hand is None and self.waiting:
            self.in_hand = self.waiting.pop(0)
            assert taken is self.in_hand
        else:
            assert taken is None

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        known = [*self.waiting, *self.answered, *([self.in_hand] if self.in_hand else [])]
        if known:
            batch = data.draw(st.sampled_from(known))
            assert self.agenda.add(batch, once=True) is Entry.REPEATED
            assert self.agenda.answer(batch) is (RESULTS if batch in self.answered else None)

    @rule(cancelled=st.booleans())
    def done(self, cancelled: bool) -> None:
        self.agenda.done(None if cancelled else RESULTS)
        if self.in_hand is not None and not cancelled:
            self.answered = [*self.answered, self.in_hand][-REMEMBERED:]
        self.in_hand = None

    @rule(session=SESSIONS)
    def drop(self, session: str) -> None:
        concerned = self.in_hand is not None and self.in_hand.session_id == session
        assert self.agenda.drop(session) is concerned
        self.waiting = [batch for batch in self.waiting if batch.session_id != session]
        self.answered = [batch for batch in self.answered if batch.session_id != session]

    @rule()
    def clear(self) -> None:
        assert self.agenda.clear() is (self.in_hand is not None)
        self.waiting = []
        self.answered = []

    @invariant()
    def agree(self) -> None:
        assert self.agenda.in_hand is self.in_hand
        assert len(self.agenda) == len(self.waiting)


TestAgenda = AgendaModel.TestCase


def batch(response_id: str | None, *tools: str) -> RunCommands:
    return RunCommands(
        [Command(tool_name=tool, tool_type=ToolType.ACTION) for tool in tools], "s", response_id
    )


def test_other_commands_under_the_same_ids_are_no_repetition() -> None:
    agenda = Agenda()
    for tool in ("look", "touch"):
        assert agenda.add(batch("r", tool), once=True) is Entry.TAKEN
        assert agenda.next() is not None
        agenda.done(RESULTS)
    assert agenda.answer(batch("r", "look")) is None
    assert agenda.answer(batch("r", "touch")) is RESULTS


def test_without_a_response_id_or_a_link_that_resumes_commands_are_done_each_time() -> None:
    agenda = Agenda()
    for known in (batch(None, "look"), batch("r", "look")):
        assert agenda.add(known, once=known.response_id is None) is Entry.TAKEN
        agenda.next()
        agenda.done(RESULTS)
        assert agenda.add(known, once=known.response_id is None) is Entry.TAKEN
        agenda.next()
        agenda.done(RESULTS)
