"""The verdict: what counts as changed meanwhile, and what as a difference."""

import os

import attrs
from hypothesis import given, strategies as st

from aip_trio.cli.demo._comparison import Comparison, Difference, compare
from aip_trio.cli.demo._inventory import Entry, Inventory
from aip_trio.cli.demo._plain import Glance, Look, Stamp

OLD = Stamp(3, 1_000, 1_000)
NEW = Stamp(3, 9_000, 9_000)

#: What is known of a file: its entry, or that it is unreadable.
Known = dict[str, Entry | str]


@attrs.frozen
class World:
    """What the three looks see of some files: before, by the fleet, afterwards; and of the root."""

    before: dict[str, Stamp] = attrs.field(factory=dict[str, Stamp])
    fleet: Known = attrs.field(factory=dict[str, "Entry | str"])
    after: dict[str, Stamp] = attrs.field(factory=dict[str, Stamp])
    plain: Known = attrs.field(factory=dict[str, "Entry | str"])
    root: tuple[Stamp, Stamp] = (OLD, OLD)

    def compare(self) -> Comparison:
        first, second = self.root
        look = Look(Glance(self.after, {"": second}), inventory(self.plain))
        return compare(inventory(self.fleet), look, before=Glance(self.before, {"": first}))


def inventory(seen: Known) -> Inventory:
    entries = {path: what for path, what in seen.items() if isinstance(what, Entry)}
    return Inventory(entries, {path: what for path, what in seen.items() if isinstance(what, str)})


def entry(path: str = "a", size: int = 3, digest: str | None = "d1") -> Known:
    return {path: Entry(path, size, digest)}


A = {"a": OLD}
SAID = "3 bytes, d1"


def test_the_same_is_equal() -> None:
    verdict = World(A, entry(), A, entry()).compare()
    assert verdict.equal
    assert verdict.changed == ()
    assert verdict.fleet.files == 1


def test_a_file_that_got_lost_by_the_fleet_is_a_difference() -> None:
    verdict = World(A, {}, A, entry()).compare()
    assert not verdict.equal
    assert verdict.differences == (Difference("a", "not there", SAID),)


def test_a_wrong_digest_is_a_difference() -> None:
    verdict = World(A, entry(digest="d2"), A, entry()).compare()
    assert verdict.differences == (Difference("a", "3 bytes, d2", SAID),)


def test_a_digest_that_is_missing_is_a_difference() -> None:
    assert not World(A, entry(digest=None), A, entry()).compare().equal
    assert World(A, entry(digest=None), A, entry(digest=None)).compare().equal


def test_a_wrong_size_is_a_difference() -> None:
    assert not World(A, entry(size=4), A, entry()).compare().equal


def test_a_file_that_only_the_fleet_calls_unreadable_is_a_difference() -> None:
    assert not World(A, {"a": "EACCES"}, A, entry()).compare().equal


def test_a_file_that_both_call_unreadable_is_equal_whatever_their_words_are() -> None:
    verdict = World(A, {"a": "EACCES"}, A, {"a": "may not"}).compare()
    assert verdict.equal
    assert verdict.fleet.unreadable == 1


def test_a_file_that_the_fleet_invented_is_a_difference() -> None:
    assert not World({}, entry(), {}, {}).compare().equal


def test_a_file_that_came_and_went_has_changed() -> None:
    verdict = World({}, entry(), {}, {}, root=(OLD, NEW)).compare()
    assert verdict.equal
    assert verdict.changed == ("a",)


def test_a_file_in_a_folder_that_came_and_went_has_changed() -> None:
    assert World({}, entry("d/a"), {}, {}).compare().changed == ("d/a",)


def test_a_file_that_was_written_to_has_changed() -> None:
    verdict = World(A, entry(), {"a": NEW}, entry(digest="d2")).compare()
    assert verdict.equal
    assert verdict.changed == ("a",)
    assert verdict.fleet.files == verdict.plain.files == 0


def test_a_file_that_appeared_or_vanished_has_changed() -> None:
    assert World({}, {}, {"a": NEW}, entry()).compare().changed == ("a",)
    assert World({}, entry(), {"a": NEW}, entry()).compare().changed == ("a",)
    assert World(A, {}, {}, {}).compare().changed == ("a",)
    assert World(A, entry(), {}, {}).compare().changed == ("a",)


def folder(before: str | None, fleet: str | None, after: str | None) -> Comparison:
    def unreadable(error: str | None) -> dict[str, str]:
        return {} if error is None else {"d": error}

    look = Look(Glance(unreadable=unreadable(after)), Inventory({}, unreadable(after)))
    return compare(Inventory({}, unreadable(fleet)), look, before=Glance(unreadable=unreadable(before)))


def test_folders_that_cannot_be_listed_are_compared_too() -> None:
    assert folder("EACCES", "no", "EACCES").equal
    assert not folder("EACCES", None, "EACCES").equal
    assert folder("EACCES", None, None).changed == ("d",)
    assert folder(None, "no", "EACCES").changed == ("d",)


NAMES = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a"])
ENTRIES = st.dictionaries(NAMES, st.sampled_from(["d1", "d2", None]))


@given(ENTRIES, NAMES, st.sampled_from(["lost", "wrong", "unreadable", "invented"]))
def test_one_planted_fault_is_always_found(files: dict[str, str | None], path: str, fault: str) -> None:
    right: Known = {name: Entry(name, 3, digest) for name, digest in files.items()}
    ours: Known = dict(right)
    planted = (path in files) != (fault == "invented")
    if planted and fault == "lost":
        del ours[path]
    elif planted and fault == "unreadable":
        ours[path] = "EIO"
    elif planted:
        ours[path] = Entry(path, 3, "corrupt")
    folders = {os.path.dirname(name): OLD for name in (*files, path)}
    glance = Glance(dict.fromkeys(files, OLD), folders)
    verdict = compare(inventory(ours), Look(glance, inventory(right)), before=glance)
    assert verdict.equal == (not planted)
    assert [difference.path for difference in verdict.differences] == [path] * planted
