"""The presets beside the table of seed 001."""

import pytest

from aip_trio.resilience import (
    INTERNET,
    LOCAL_NETWORK,
    MOBILE,
    PRESETS,
    UNRELIABLE_NETWORK,
    Preset,
    ReconnectionStrategy,
)

_MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("preset", "interval", "timeout", "size", "close"),
    [
        (LOCAL_NETWORK, (10, 20), (30, 60), 100, 5),
        (INTERNET, (30, 60), (120, 180), 100, 10),
        (UNRELIABLE_NETWORK, (60, 120), (180, 300), 50, 15),
        (MOBILE, (60, 60), (180, 180), 10, 10),
    ],
    ids=lambda value: value.name if isinstance(value, Preset) else "",
)
def test_a_preset_lies_in_the_ranges_of_its_row(
    preset: Preset, interval: tuple[float, float], timeout: tuple[float, float], size: int, close: float
) -> None:
    options = preset.transport_options()
    assert interval[0] <= options["ping_interval"] <= interval[1]
    assert timeout[0] <= options["ping_timeout"] <= timeout[1]
    assert options["max_size"] == size * _MIB
    assert options["close_timeout"] == close


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_each_makes_a_strategy_of_ones_own_that_spreads_its_tries(preset: Preset) -> None:
    strategy, another = preset.reconnection(), preset.reconnection(2)
    assert isinstance(strategy, ReconnectionStrategy)
    assert strategy is not preset.reconnection()
    assert strategy.backoff.max_retries is None
    assert strategy.backoff.jitter
    assert len(list(another.delays("dev"))) == 2


def test_all_are_found_by_name() -> None:
    assert PRESETS["mobile"] is MOBILE
    assert set(PRESETS) == {"local network", "internet", "unreliable network", "mobile"}
