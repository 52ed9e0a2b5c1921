"""The pure part of the keepalive."""

import math

from hypothesis import given, strategies as st

from aip_trio.transport._keepalive import Beat, Keepalive

seconds = st.floats(0.1, 1000)


def test_a_ping_is_due_after_each_interval() -> None:
    keepalive = Keepalive(30.0, 180.0, now=100.0)
    assert keepalive.due(100.0) == 130.0
    assert keepalive.beat(129.9, 100.0) is Beat.NOTHING
    assert keepalive.beat(130.0, 100.0) is Beat.PING
    assert keepalive.due(100.0) == 160.0
    assert keepalive.beat(130.0, 100.0) is Beat.NOTHING


def test_a_peer_is_given_up_after_its_time_and_no_sooner() -> None:
    keepalive = Keepalive(30.0, 45.0, now=0.0)
    assert keepalive.beat(30.0, 0.0) is Beat.PING
    assert keepalive.beat(75.9, 31.0) is Beat.PING
    assert keepalive.due(31.0) == 76.0
    assert keepalive.beat(76.0, 31.0) is Beat.GIVE_UP


def test_for_ever_is_for_ever() -> None:
    keepalive = Keepalive(math.inf, math.inf, now=0.0)
    assert keepalive.due(0.0) == math.inf
    assert keepalive.beat(1e12, 0.0) is Beat.NOTHING


@given(interval=seconds, patience=seconds, answers=st.lists(st.booleans(), max_size=50))
def test_asked_when_due_it_gives_up_exactly_the_patience_after_the_last_answer(
    interval: float, patience: float, answers: list[bool]
) -> None:
    keepalive = Keepalive(interval, patience, now=0.0)
    heard = now = 0.0
    for answered in answers:
        due = keepalive.due(heard)
        assert due > now or due == heard + patience
        now = due
        beat = keepalive.beat(now, heard)
        if beat is Beat.GIVE_UP:
            assert now == heard + patience
            break
        assert beat is Beat.PING
        assert now < heard + patience
        if answered:
            heard = now
