"""Summing up, twice: by the fleet's code and by the plain one."""

from hypothesis import given, strategies as st

from aip_trio.cli.demo._inventory import Duplicates, Entry, Inventory, Summary, TypeTotal, summarize
from aip_trio.cli.demo._plain import total

NAMES = st.text("ab./Ä", min_size=1, max_size=6)
#: The content decides the size; some files are not hashed.
CONTENTS = st.sampled_from([("e3", 0), ("aa", 3), ("bb", 3), ("cc", 1000), (None, 7)])


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    files = draw(st.dictionaries(NAMES, CONTENTS, max_size=12))
    entries = {path: Entry(path, size, digest) for path, (digest, size) in files.items()}
    return Inventory(entries, draw(st.dictionaries(NAMES, st.just("EACCES"), max_size=3)))


@given(inventories(), st.frozensets(NAMES, max_size=6))
def test_both_ways_of_summing_up_agree(inventory: Inventory, without: frozenset[str]) -> None:
    assert summarize(inventory.without(without)) == total(inventory, without)


def entry(path: str, size: int, digest: str | None) -> tuple[str, Entry]:
    return path, Entry(path, size, digest)


def test_a_summary_counts_types_and_duplicates() -> None:
    files = [
        entry("a.PY", 10, "x"),
        entry("d/b.py", 10, "x"),
        entry("c.py", 10, "x"),
        entry(".hidden", 90, "y"),
        entry("e.txt", 0, "z"),
        entry("f.txt", 0, "z"),
        entry("huge.bin", 500, None),
        entry("twin.bin", 500, None),
    ]
    assert summarize(Inventory(dict(files), {"g": "EACCES"})) == Summary(
        files=8,
        bytes=1120,
        hashed=6,
        types=(
            TypeTotal(".bin", 2, 1000),
            TypeTotal("", 1, 90),
            TypeTotal(".py", 3, 30),
            TypeTotal(".txt", 2, 0),
        ),
        duplicates=Duplicates(sets=1, files=3, wasted=20),
        unreadable=1,
    )
