"""Conversations beside a dict of states, and beside an observer that comes and goes."""

from enum import Enum

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import IllegalTransition
from aip_trio.machine import Machine
from aip_trio.protocol._conversations import Conversations
from tests.actors.model._settings import examples

Phase = Enum("Phase", "NEW ASKED DONE")
Deed = Enum("Deed", "ASK ANSWER")
MACHINE = Machine(
    "exchange",
    initial=Phase.NEW,
    terminal={Phase.DONE},
    table={Phase.NEW: {Deed.ASK: Phase.ASKED}, Phase.ASKED: {Deed.ANSWER: Phase.DONE}},
)
JOINS = {Deed.ASK: Phase.NEW, Deed.ANSWER: Phase.ASKED}
_STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from([None, *Deed]),
        st.sampled_from(["keep", "undo", "forget"]),
    ),
    max_size=30,
)


@examples(200)
@given(_STEPS, st.booleans())
def test_each_key_goes_its_own_way_and_every_step_can_be_taken_back(
    steps: list[tuple[str, Deed | None, str]], strict: bool
) -> None:
    places = Conversations(MACHINE)
    model: dict[str, Phase] = {}
    for key, deed, then in steps:
        before = model.get(key)
        if deed is None:
            after, step = Phase.NEW, places.open(key)
        else:
            try:
                after = MACHINE.next(JOINS[deed] if before is None else before, deed)
            except IllegalTransition:
                if strict:
                    with pytest.raises(IllegalTransition):
                        places.fire(key, deed, joins=JOINS[deed])
                    continue
                after = MACHINE.next(JOINS[deed], deed)
            step = places.fire(key, deed, joins=JOINS[deed], strict=strict)
        assert places.state(key) is after
        model[key] = after
        if then == "undo":
            step.undo()
            if before is None:
                del model[key]
            else:
                model[key] = before
        elif then == "forget":
            step.forget()
            del model[key]
        assert {name: places.state(name) for name in "abc"} == {name: model.get(name) for name in "abc"}


def test_all_of_several_events_or_none() -> None:
    places = Conversations(MACHINE)
    places.fire("a", Deed.ASK, Deed.ANSWER, joins=Phase.NEW)
    assert places.state("a") is Phase.DONE
    places.open("b")
    with pytest.raises(IllegalTransition):
        places.fire("b", Deed.ASK, Deed.ASK, joins=Phase.NEW)
    assert places.state("b") is Phase.NEW


def test_a_step_that_others_have_followed_stands() -> None:
    places = Conversations(MACHINE)
    step = places.fire("a", Deed.ASK, joins=Phase.NEW)
    places.fire("a", Deed.ANSWER, joins=Phase.NEW)
    step.undo()
    step.forget()
    assert places.state("a") is Phase.DONE


def test_where_even_the_joint_does_not_fit_it_is_refused_in_any_case() -> None:
    with pytest.raises(IllegalTransition):
        Conversations(MACHINE).fire("a", Deed.ASK, joins=Phase.ASKED, strict=False)


def test_only_those_last_touched_are_remembered() -> None:
    places = Conversations(MACHINE, limit=3)
    for key in "abc":
        places.open(key)
    places.fire("a", Deed.ASK, joins=Phase.NEW)
    places.open("d")
    assert [places.state(key) for key in "abcd"] == [Phase.ASKED, None, Phase.NEW, Phase.NEW]
