"""The benchmarks run, and write what they promise; not how fast."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks._harness import OURS, Figure, Result, Row, Samples, Subject, Target, take
from benchmarks._rows import ROWS
from benchmarks._stream import Flow
from benchmarks._table import table

ROOT = Path(__file__).parents[2]
PEERS = ("auto-trainer-api", "pydantic", "pykka", "TriOTP", "websockets")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What a quick run prints, and what it writes."""
    file = tmp_path_factory.mktemp("benchmarks") / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", str(file)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return ran.stdout, json.loads(file.read_text(encoding="utf-8"))


def test_every_figure_has_its_value_target_ratio_and_verdict(run: tuple[str, dict[str, Any]]) -> None:
    _, document = run
    assert [result["what"] for result in document["results"]] == [
        figure.what.format(actors=max(row.reduced().sizes)) for row in ROWS for figure in row.figures
    ]
    for result in document["results"]:
        assert result["value"] is not None, result
        assert len(result["samples"]) == 1
        if result["peer_missing"] is None and result["peer"] is not None:
            assert result["ratio"] == pytest.approx(result["value"] / result["peer_value"])
        if result["target"] is not None and (result["ratio"] is not None or not result["target"]["ratio"]):
            assert result["met"] in (True, False)


def test_only_peers_may_be_missing(run: tuple[str, dict[str, Any]]) -> None:
    _, document = run
    for result in document["results"]:
        if result["peer_missing"] is not None:
            assert result["peer"].startswith(PEERS)
            assert result["peer_missing"] == "not installed"
            assert (result["peer_value"], result["ratio"]) == (None, None)


def test_the_growth_is_measured_at_each_number_of_actors(run: tuple[str, dict[str, Any]]) -> None:
    _, document = run
    ours = [point for point in document["growth"] if (point["row"], point["subject"]) == ("growth", OURS)]
    assert [point["actors"] for point in ours] == [10, 20]
    for point in ours:
        assert min(point[name] for name in ("tell", "ask", "start", "stop", "restart_ms")) > 0


def test_the_load_is_measured_at_each_number_of_devices(run: tuple[str, dict[str, Any]]) -> None:
    _, document = run
    ours = [point for point in document["growth"] if (point["row"], point["subject"]) == ("load", OURS)]
    assert [point["actors"] for point in ours] == [10, 20]
    for point in ours:
        assert 0 < point["p50"] <= point["p99"]
        assert 0 < point["command_p50"] <= point["command_p99"]
        assert min(point["cpu"], point["register"]) > 0


def test_the_document_says_what_was_measured_with(run: tuple[str, dict[str, Any]]) -> None:
    _, document = run
    assert document["quick"] is True
    assert document["python"].startswith("3.")
    assert document["versions"]["trio"]


def test_the_table_shows_every_row(run: tuple[str, dict[str, Any]]) -> None:
    output, _ = run
    assert all(row.title in output for row in ROWS)


def test_what_is_not_installed_is_said_and_not_run() -> None:
    def never(_: object) -> dict[str, float]:
        raise AssertionError("run in this process")

    absent = Subject("rival", never, needs="no_such_module_anywhere")
    figure = Figure("speed", "rate", "runs/s", "rival", "rival", Target(2, ratio=True))
    samples = take(Row("row", "a row", (absent,), (figure,), work=1), lambda _: None)
    assert samples.missing == {"rival": "not installed"}
    (result,) = samples.results()
    assert (result.value, result.ratio, result.met) == (None, None, None)
    assert "not installed" in table(samples)


def judged(target: Target) -> Result:
    """A row in which we make 3, 30 and 1 runs a second, and the rival 1, 2 and 2."""
    row = Row("row", "a row", (), (Figure("speed", "rate", "runs/s", peer="rival", target=target),), work=1)
    rates = {OURS: (3.0, 30.0, 1.0), "rival": (1.0, 2.0, 2.0)}
    taken = {(name, 1): [{"rate": rate} for rate in values] for name, values in rates.items()}
    (result,) = Samples(row, taken, {}).results()
    return result


def test_a_figure_is_the_median_of_its_samples_beside_the_peers_median() -> None:
    result = judged(Target(1))
    assert (result.value, result.peer_value, result.ratio) == (3.0, 2.0, 1.5)


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target(3), True),
        (Target(3.1), False),
        (Target(1.5, ratio=True), True),
        (Target(1.6, ratio=True), False),
        (Target(3, at_most=True), True),
        (Target(2.9, at_most=True), False),
    ],
)
def test_a_target_is_a_bound_of_the_value_or_of_the_ratio(target: Target, met: bool) -> None:
    assert judged(target).met is met


def test_a_flow_is_timed_after_its_first_part_whatever_the_size_of_its_batches() -> None:
    for batch in (1, 7, 50):
        flow = Flow(100)
        come = 0
        while not flow.came(batch):
            come += batch
        assert 0 < flow.measures()["rate"] < float("inf")
        assert come < 100 <= come + batch
