import pytest

from aip_trio.cli.demo._ledger import Ledger, SettledTwice


def test_a_task_is_counted_once_however_often_it_is_asked_for() -> None:
    ledger = Ledger()
    ledger.ask("a")
    ledger.ask("b")
    ledger.retry("a")
    ledger.retry("a")
    ledger.settle("a", "device-1")
    assert (ledger.asked, ledger.done, ledger.retried) == (2, 1, 2)
    ledger.settle("b", "device-2")
    assert (ledger.asked, ledger.done, ledger.done_by("device-2")) == (2, 2, 1)


@pytest.mark.parametrize("settled", [True, False])
def test_a_second_outcome_is_refused(settled: bool) -> None:
    ledger = Ledger()
    if settled:
        ledger.ask("a")
        ledger.settle("a", "device-1")
    with pytest.raises(SettledTwice, match="task a"):
        ledger.settle("a", "device-2")
    with pytest.raises(SettledTwice, match="task a"):
        ledger.retry("a")
    assert ledger.done == settled


def test_an_id_is_of_one_task() -> None:
    ledger = Ledger()
    ledger.ask("a")
    with pytest.raises(SettledTwice):
        ledger.ask("a")
    ledger.settle("a", "device-1")
    with pytest.raises(SettledTwice):
        ledger.ask("a")
