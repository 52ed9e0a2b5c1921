"""Real trees of actors against a naive model of OTP's supervisor."""

from hypothesis import given, strategies as st

from tests.actors.model._chaos import Haste, rush
from tests.actors.model._compare import compare
from tests.actors.model._script import Script, scripts
from tests.actors.model._settings import examples


@examples(200)
@given(scripts())
def test_real_actors_do_what_the_model_does(script: Script) -> None:
    compare(script)


@st.composite
def hastes(draw: st.DrawFn) -> Haste:
    """Scripts, and times."""
    return Haste(
        draw(scripts()),
        pauses=draw(_TIMES),
        gaps=draw(_TIMES),
        withdrawals=tuple(draw(st.lists(st.booleans(), min_size=1, max_size=5))),
        rest=draw(st.booleans()),
    )


_TIMES = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=7).map(tuple)


@examples(150)
@given(hastes())
def test_slow_actors_come_to_an_end_whatever_overlaps(haste: Haste) -> None:
    rush(haste)
