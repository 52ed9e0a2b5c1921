"""LinearBackoff beside Backoff, whose every rule but one it shares."""

from hypothesis import given, strategies as st

from aip_trio.resilience import Backoff, LinearBackoff
from tests.actors.model._settings import examples


@examples(50)
@given(st.floats(0, 100), st.floats(0, 1000), st.integers(1, 40))
def test_each_wait_is_longer_by_initial_up_to_maximum(initial: float, more: float, failures: int) -> None:
    backoff = LinearBackoff(initial=initial, maximum=initial + more, jitter=False)
    assert backoff.delay(failures, 0.5) == min(initial * failures, backoff.maximum)


def test_the_rest_is_a_backoff() -> None:
    backoff = LinearBackoff(initial=2.0, maximum=5.0, max_retries=3, reset_after=9.0)
    assert isinstance(backoff, Backoff)
    assert backoff.delay(2, 0.25) == 1.0  # of 4 s, by full jitter
    assert backoff.exhausted(4)
    assert not backoff.exhausted(3)
    assert backoff.healthy(9.0)
