from collections import Counter
from random import Random

from hypothesis import given, strategies as st

from aip_trio.cli.demo._sabotage import Manner, Plan, Strike, Victim, make_plan

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(1, 100_000))
def test_a_plan_hits_workers_and_the_collector_more_than_a_few_times(seed: int, files: int) -> None:
    plan = make_plan(Random(seed), files)
    victims = Counter(strike.victim for strike in plan.strikes)
    assert victims[Victim.WORKER] >= 3
    assert victims[Victim.COLLECTOR] >= 2
    assert all(0 <= strike.at < files for strike in plan.strikes)
    for victim in Victim:
        first = next(strike for strike in plan.strikes if strike.victim is victim)
        assert first.manner is Manner.AT_WORK
    assert all(s.at >= files // 2 for s in plan.strikes if s.victim is Victim.COLLECTOR)


@given(SEEDS, st.integers(0, 1000))
def test_equal_seeds_make_equal_plans(seed: int, files: int) -> None:
    assert make_plan(Random(seed), files) == make_plan(Random(seed), files)


def test_without_files_nobody_is_hit() -> None:
    assert make_plan(Random(1), 0) == Plan()


@given(SEEDS, st.integers(1, 1000), st.lists(st.integers(1, 64), min_size=1))
def test_each_strike_is_due_once_with_its_file(seed: int, files: int, batches: list[int]) -> None:
    plan = make_plan(Random(seed), files)
    handed, rest = 0, plan
    struck: list[Strike] = []
    for batch in batches:
        now, rest = rest.due(handed + batch)
        assert all(handed <= strike.at < handed + batch for strike in now)
        struck += now
        handed += batch
    assert (*struck, *rest.strikes) == plan.strikes
