from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from aip_trio.cli.demo._inventory import Entry, Findings, Stamp
from aip_trio.cli.demo._journal import Journal

NUMBERS = st.integers(0, 2**63)
#: Any file name: what is no UTF-8 is a lone surrogate.
PATHS = st.text(st.characters(exclude_characters="\0"), min_size=1)
FINDINGS = st.builds(
    Findings,
    st.lists(st.builds(Entry, PATHS, st.builds(Stamp, NUMBERS, NUMBERS, NUMBERS), st.text("0123af"))).map(
        tuple
    ),
    st.lists(st.tuples(PATHS, st.just("EACCES"))).map(tuple),
)


@given(st.lists(FINDINGS, max_size=5))
def test_what_was_appended_is_replayed(
    tmp_path_factory: pytest.TempPathFactory, all_of_it: list[Findings]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal")
    for findings in all_of_it:
        journal.append(findings)
    assert list(journal.replay()) == all_of_it


def test_a_new_journal_is_empty(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "journal").replay()) == []


def test_a_last_line_that_was_cut_off_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    first, second = (Findings((Entry(name, Stamp(1, 2, 3), "00"),)) for name in ("a", "b"))
    journal.append(first)
    whole = path.read_bytes()
    journal.append(second)
    path.write_bytes(path.read_bytes()[:-5])
    assert list(journal.replay()) == [first]
    assert path.read_bytes() == whole
    journal.append(second)
    assert list(journal.replay()) == [first, second]
