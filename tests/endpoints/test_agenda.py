"""The agenda against a list of what should be there."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aip_trio.endpoints.device._agenda import Agenda
from aip_trio.messages import RunCommands

SESSIONS = st.sampled_from(["a", "b", "c"])
LIMIT = 4


class AgendaModel(RuleBasedStateMachine):
    """A plain list, and what is in hand."""

    def __init__(self) -> None:
        super().__init__()
        self.agenda = Agenda(LIMIT)
        self.waiting: list[RunCommands] = []
        self.in_hand: RunCommands | None = None
        self.number = 0

    @rule(session=SESSIONS)
    def add(self, session: str) -> None:
        self.number += 1
        batch = RunCommands((), session, str(self.number))
        fits = len(self.waiting) < LIMIT
        assert self.agenda.add(batch) is fits
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

    @rule()
    def done(self) -> None:
        self.agenda.done()
        self.in_hand = None

    @rule(session=SESSIONS)
    def drop(self, session: str) -> None:
        concerned = self.in_hand is not None and self.in_hand.session_id == session
        assert self.agenda.drop(session) is concerned
        self.waiting = [batch for batch in self.waiting if batch.session_id != session]

    @rule()
    def clear(self) -> None:
        assert self.agenda.clear() is (self.in_hand is not None)
        self.waiting = []

    @invariant()
    def agree(self) -> None:
        assert self.agenda.in_hand is self.in_hand
        assert len(self.agenda) == len(self.waiting)


TestAgenda = AgendaModel.TestCase
