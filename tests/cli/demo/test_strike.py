from random import Random

import pytest
from hypothesis import given, strategies as st

from aip_trio.cli.demo._strike import Aim, aim

SEEDS = st.integers(0, 2**32)
DEVICES = ("a", "b", "c")


@given(SEEDS, st.integers(4, 10_000))
def test_a_device_is_hit_in_the_middle_of_its_share(seed: int, jobs: int) -> None:
    strike = aim(Aim.DEVICE, Random(seed), DEVICES, jobs)
    assert strike is not None
    assert strike.victim in DEVICES
    assert 0 <= strike.at <= 0.6 * jobs / 3
    assert 0 <= strike.fuse <= 0.02


@given(SEEDS, st.integers(4, 10_000))
def test_the_server_is_hit_before_the_last_tasks_are_asked_for(seed: int, jobs: int) -> None:
    strike = aim(Aim.SERVER, Random(seed), DEVICES, jobs)
    assert strike is not None
    assert strike.victim == "server"
    assert strike.at < jobs


def test_in_peace_nobody_is() -> None:
    assert aim(Aim.NOBODY, Random(1), DEVICES, 100) is None


@pytest.mark.parametrize("what", list(Aim))
def test_equal_seeds_strike_equally(what: Aim) -> None:
    assert aim(what, Random(7), DEVICES, 100) == aim(what, Random(7), DEVICES, 100)


def test_other_seeds_strike_otherwise() -> None:
    assert len({aim(Aim.DEVICE, Random(seed), DEVICES, 100) for seed in range(20)}) > 10
