from hypothesis import given, strategies as st

from aip_trio.cli.demo._scope import MOST_NAMES, Scope, make_scope


def test_a_usual_directory_is_looked_at_as_a_whole() -> None:
    scope = make_scope([1000] * 2000, None)
    assert scope == Scope()
    assert scope.follows("anywhere")
    assert scope.hashes("any/file", 10**7)
    assert list(scope.limits()) == []


def test_many_files_are_sampled_by_their_names() -> None:
    scope = make_scope([10] * 9000, None)
    assert scope.one_in == 5
    hashed = sum(scope.hashes(f"file-{number}", 10) for number in range(9000))
    assert 1500 < hashed < 2100
    assert list(scope.limits()) == ["too much to hash it all: one file in 5 is"]


def test_many_bytes_are_sampled_too() -> None:
    assert make_scope([10**7] * 20, None).one_in == 3


def test_large_files_are_not_hashed_and_do_not_count() -> None:
    scope = make_scope([10**12, 10], None)
    assert scope.one_in == 1
    assert not scope.hashes("a", 10**12)
    assert list(scope.limits()) == ["1 files of more than 16.8 MB are not hashed"]


def test_of_a_huge_directory_some_folders_are_looked_into() -> None:
    scope = make_scope([], frozenset({"", "near"}))
    assert scope.follows("")
    assert scope.follows("near")
    assert not scope.follows("far")
    assert list(scope.limits()) == [f"more than {MOST_NAMES:,} names: only 2 folders are looked into"]


@given(st.lists(st.integers(0, 2**40), max_size=50), st.text(), st.integers(0, 2**40))
def test_the_rule_says_the_same_each_time(sizes: list[int], path: str, size: int) -> None:
    first, second = make_scope(sizes, None), make_scope(sizes, None)
    assert first.hashes(path, size) == second.hashes(path, size)


def test_hidden_folders_are_passed_by_and_counted() -> None:
    scope = make_scope([10], None, hidden=2)
    assert scope.follows("")
    assert scope.follows("src/a.b")
    assert not scope.follows(".git")
    assert not scope.follows("src/.venv")
    assert list(scope.limits()) == ["hidden folders are not looked into: 2 (name one with --root to do so)"]
