from hypothesis import given, strategies as st

from aip_trio.cli.rpc._machine import configuration, take_sample
from aip_trio.cli.rpc._readings import changes

READINGS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2))


@given(READINGS, READINGS)
def test_applied_to_the_old_readings_the_changes_make_the_new_ones(
    old: dict[str, object], new: dict[str, object]
) -> None:
    told = {str(change["name"]): (change["old_value"], change["new_value"]) for change in changes(old, new)}
    assert all(before != after and before == old.get(name) for name, (before, after) in told.items())
    assert {
        **{name: old.get(name) for name in new},
        **{name: after for name, (_, after) in told.items()},
    } == new


def test_a_sample_is_of_this_machine() -> None:
    sample = take_sample()
    assert 0 <= sample.cpu_percent <= 100
    assert 0 < sample.memory_percent <= 100
    assert sample.processes > 0
    assert sample.disk_free > 0


def test_the_configuration_is_of_this_process() -> None:
    found = configuration()
    assert found["version"]
    machine = found["machine"]
    assert isinstance(machine, dict)
    assert machine["memory_total"] > 0
