"""The verdict: what counts as changed meanwhile, and what as a difference."""

import attrs
from hypothesis import given, strategies as st

from aip_trio.cli.demo._comparison import Comparison, Difference, compare
from aip_trio.cli.demo._inventory import Entry, Inventory, Stamp
from aip_trio.cli.demo._plain import Glance, Look

BEGAN = 10_000_000_000
OLD = Stamp(3, 1_000, 1_000)
NEW = Stamp(3, BEGAN, BEGAN)


@attrs.frozen
class World:
    """What the three looks see of some files: before, by the actors, afterwards."""

    before: dict[str, Stamp] = attrs.field(factory=dict[str, Stamp])
    actors: dict[str, Entry | str] = attrs.field(factory=dict[str, "Entry | str"])
    after: dict[str, Entry | str] = attrs.field(factory=dict[str, "Entry | str"])

    def compare(self) -> Comparison:
        stamps = {
            path: seen.stamp if isinstance(seen, Entry) else self.before.get(path, OLD)
            for path, seen in self.after.items()
        }
        look = Look(Glance(stamps, {}), inventory(self.after))
        return compare(inventory(self.actors), look, before=Glance(self.before, {}), began=BEGAN)


def inventory(seen: dict[str, Entry | str]) -> Inventory:
    entries = {path: what for path, what in seen.items() if isinstance(what, Entry)}
    return Inventory(entries, {path: what for path, what in seen.items() if isinstance(what, str)})


def entry(path: str = "a", stamp: Stamp = OLD, digest: str = "d1") -> dict[str, Entry | str]:
    return {path: Entry(path, stamp, digest)}


SAID = "3 bytes, d1"


def test_the_same_is_equal() -> None:
    verdict = World({"a": OLD}, entry(), entry()).compare()
    assert verdict.equal
    assert verdict.changed == ()
    assert verdict.actors.files == 1


def test_a_file_that_got_lost_by_the_actors_is_a_difference() -> None:
    verdict = World({"a": OLD}, {}, entry()).compare()
    assert not verdict.equal
    assert verdict.differences == (Difference("a", "not there", SAID),)


def test_a_wrong_digest_is_a_difference() -> None:
    verdict = World({"a": OLD}, entry(digest="d2"), entry()).compare()
    assert verdict.differences == (Difference("a", "3 bytes, d2", SAID),)


def test_a_wrong_size_is_a_difference() -> None:
    verdict = World({"a": OLD}, entry(stamp=attrs.evolve(OLD, size=4)), entry()).compare()
    assert not verdict.equal


def test_a_file_that_only_the_actors_call_unreadable_is_a_difference() -> None:
    assert not World({"a": OLD}, {"a": "EACCES"}, entry()).compare().equal


def test_a_file_that_both_call_unreadable_is_equal() -> None:
    verdict = World({"a": OLD}, {"a": "EACCES"}, {"a": "EACCES"}).compare()
    assert verdict.equal
    assert verdict.actors.unreadable == 1


def test_a_file_that_the_actors_invented_is_a_difference() -> None:
    assert not World({}, entry(), {}).compare().equal


def test_a_file_that_came_and_went_has_changed() -> None:
    verdict = World({}, entry(stamp=NEW), {}).compare()
    assert verdict.equal
    assert verdict.changed == ("a",)


def test_a_file_that_was_written_to_has_changed() -> None:
    verdict = World({"a": OLD}, entry(), entry(stamp=NEW, digest="d2")).compare()
    assert verdict.equal
    assert verdict.changed == ("a",)
    assert verdict.actors.files == verdict.plain.files == 0


def test_a_file_that_appeared_or_vanished_has_changed() -> None:
    assert World({}, {}, entry(stamp=NEW)).compare().changed == ("a",)
    assert World({"a": OLD}, {}, {}).compare().changed == ("a",)
    assert World({"a": OLD}, entry(), {}).compare().changed == ("a",)


def directory(before: str | None, actors: str | None, after: str | None) -> Comparison:
    def unlisted(error: str | None) -> dict[str, str]:
        return {} if error is None else {"d": error}

    look = Look(Glance({}, unlisted(after)), Inventory({}, unlisted(after)))
    ours = Inventory({}, unlisted(actors))
    return compare(ours, look, before=Glance({}, unlisted(before)), began=BEGAN)


def test_unlistable_directories_are_compared_too() -> None:
    assert directory("EACCES", "EACCES", "EACCES").equal
    assert not directory("EACCES", None, "EACCES").equal
    assert directory("EACCES", None, None).changed == ("d",)
    assert directory(None, "EACCES", None).changed == ("d",)


ENTRIES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["d1", "d2", "d3"]))


@given(ENTRIES, st.sampled_from("abcdef"), st.sampled_from(["lost", "wrong"]))
def test_one_planted_fault_is_always_found(files: dict[str, str], path: str, fault: str) -> None:
    right = {name: Entry(name, OLD, digest) for name, digest in files.items()}
    ours = dict(right)
    if path in ours and fault == "lost":
        del ours[path]
    elif path in ours:
        ours[path] = attrs.evolve(ours[path], digest="corrupt")
    verdict = World(dict.fromkeys(files, OLD), {**ours}, {**right}).compare()
    assert verdict.equal == (path not in files)
    assert [difference.path for difference in verdict.differences] == [path] * (path in files)
