"""When a command has to be answered, and when it is given up."""

import math

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aip_trio.rpc.service._deadlines import Deadlines


def test_a_command_is_answered_first_and_given_up_later() -> None:
    deadlines = Deadlines(0.05, 300)
    deadlines.begin(1, 10.0)
    assert deadlines.next == 10.05
    assert deadlines.due(10.04) == ([], [])
    assert deadlines.due(10.05) == ([1], [])
    assert deadlines.next == 310
    assert deadlines.due(310) == ([], [1])
    assert deadlines.next == math.inf


def test_what_is_given_up_before_it_is_answered_is_named_once() -> None:
    deadlines = Deadlines(10, 1)
    deadlines.begin(1, 0)
    assert deadlines.due(20) == ([], [1])
    assert deadlines.next == math.inf


def test_without_a_timeout_nothing_is_given_up() -> None:
    deadlines = Deadlines(1, None)
    deadlines.begin(1, 0)
    assert deadlines.due(1e9) == ([1], [])
    assert deadlines.next == math.inf


class AgainstAModel(RuleBasedStateMachine):
    """The model looks at every command each time."""

    PENDING, TIMEOUT = 2.0, 5.0

    def __init__(self) -> None:
        super().__init__()
        self.real = Deadlines(self.PENDING, self.TIMEOUT)
        self.unanswered: dict[int, float] = {}
        self.running: dict[int, float] = {}
        self.now = 0.0
        self.number = 0

    @rule()
    def begin(self) -> None:
        self.number += 1
        self.real.begin(self.number, self.now)
        self.unanswered[self.number] = self.now + self.PENDING
        self.running[self.number] = self.now + self.TIMEOUT

    @precondition(lambda self: self.number)
    @rule(data=st.data())
    def answered(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.number))
        self.real.answered(number)
        self.unanswered.pop(number, None)

    @precondition(lambda self: self.number)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.number))
        self.real.end(number)
        self.unanswered.pop(number, None)
        self.running.pop(number, None)

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        late, given_up = self.real.due(self.now)
        overdue = sorted(number for number, at in self.running.items() if at <= self.now)
        for number in overdue:
            del self.running[number]
            self.unanswered.pop(number, None)
        unanswered = sorted(number for number, at in self.unanswered.items() if at <= self.now)
        for number in unanswered:
            del self.unanswered[number]
        assert (late, given_up) == (unanswered, overdue)

    @invariant()
    def the_next_is_the_soonest(self) -> None:
        assert self.real.next == min([*self.unanswered.values(), *self.running.values()], default=math.inf)


TestDeadlinesAgainstAModel = AgainstAModel.TestCase
