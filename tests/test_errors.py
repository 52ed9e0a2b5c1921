import inspect
import re
from collections.abc import Iterator

import attrs
import pytest

from aip_trio import errors
from aip_trio.errors import AipError


def drawn() -> dict[str, tuple[str, str | None]]:
    """What the docstring draws: each class's parent and, in brackets, its class of the standard library."""
    assert errors.__doc__ is not None
    tree: dict[str, tuple[str, str | None]] = {}
    above: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        match = re.fullmatch(r"    ((?:[│├└─ ]*)?)([A-Z]\w+)(?: +(.*))?", line)
        if match is None:
            continue
        depth = len(match[1])
        while above and above[-1][0] >= depth:
            above.pop()
        bracket = re.match(r"\((\w+)\)", match[3] or "")
        tree[match[2]] = (above[-1][1] if above else "Exception", bracket[1] if bracket else None)
        above.append((depth, match[2]))
    return tree


def real() -> dict[str, tuple[str, str | None]]:
    """The same of the classes that there are."""
    tree: dict[str, tuple[str, str | None]] = {}
    for name, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, AipError) and cls.__module__.startswith(errors.__name__):
            first, *more = cls.__bases__
            tree[name] = (first.__name__, more[0].__name__ if more else None)
            assert len(more) <= 1
    return tree


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    assert drawn() == real()
    assert len(drawn()) > 30  # the reading works


def test_all_of_it_and_nothing_else_is_public() -> None:
    assert set(errors.__all__) == set(real())


SAMPLES: dict[str, object] = {
    "str": "sample",
    "bytes": b"sample",
    "object": {"a": 1},
    "Any": None,
    "int": 3,
    "bool": False,
    "float": 5.0,
    "tuple[str, ...]": ("/a", "/b", "/a"),
    "tuple[object, ...]": (1, 2),
    "tuple[BaseException, ...]": (KeyError("first\nline"), ValueError("last\nline")),
    "BaseException": ZeroDivisionError("planted"),
}


def facts(cls: type[AipError]) -> "tuple[attrs.Attribute[object], ...]":
    """The fields of an error."""
    return attrs.fields(cls) if attrs.has(cls) else ()


def samples() -> Iterator[AipError]:
    """An instance of every class that carries facts."""
    for cls in vars(errors).values():
        if inspect.isclass(cls) and issubclass(cls, AipError) and facts(cls):
            values: list[object] = []
            for field in facts(cls):
                kind = field.type if isinstance(field.type, str) else inspect.formatannotation(field.type)
                values.append(SAMPLES[kind])
            yield cls(*values)


@pytest.mark.parametrize("error", list(samples()), ids=lambda error: type(error).__name__)
def test_a_text_names_the_facts_in_one_line(error: AipError) -> None:
    text = str(error)
    assert text
    assert "\n" not in text
    for field in facts(type(error)):
        value = getattr(error, field.name)
        if field.name == "period" and isinstance(error, errors.RetriesExhausted):
            continue  # a backoff has none
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            assert str(value) in text
        elif isinstance(value, BaseException):
            assert f"{type(value).__name__}: {value}" in text
        elif value is SAMPLES["object"]:
            assert "{'a': 1}" in text
    if isinstance(error, errors.UsageError):
        assert re.search(r"[:;] ", text)  # after it: what to do


@pytest.mark.parametrize("error", list(samples()), ids=lambda error: type(error).__name__)
def test_facts_are_attributes_and_two_errors_are_never_equal(error: AipError) -> None:
    fields = facts(type(error))
    assert fields
    other = type(error)(*(getattr(error, field.name) for field in fields))
    assert error != other
    assert len({error, other}) == 2


@pytest.mark.parametrize("error", list(samples()), ids=lambda error: type(error).__name__)
def test_an_error_can_be_raised_with_a_cause_and_a_note(error: AipError) -> None:
    cause = KeyError("cause")
    with pytest.raises(type(error)) as raised:
        error.add_note("a note")
        raise error from cause
    assert raised.value.__cause__ is cause
    assert raised.value.__notes__ == ["a note"]


def test_a_crash_tells_its_cause_when_it_has_one() -> None:
    crash = errors.ActorCrashed("/a", 1)
    assert str(crash).endswith("handled 1")
    crash.__cause__ = KeyError("planted")
    assert str(crash).endswith("(KeyError: 'planted')")
    crash.__cause__ = KeyError()
    assert str(crash).endswith("(KeyError)")


def test_a_cause_of_many_lines_is_told_in_one() -> None:
    failed = errors.StartFailed("/a", ValueError("one\ntwo"))
    assert "\n" not in str(failed)
    assert "one" in str(failed)


def test_a_value_of_many_lines_is_told_in_one() -> None:
    class Wide:
        def __repr__(self) -> str:
            return "one\ntwo"

    assert "\n" not in str(errors.InvalidMessage(Wide(), "is no message"))


def test_the_cause_of_a_failed_start_is_its_cause() -> None:
    cause = ZeroDivisionError()
    assert errors.StartFailed("/a", cause).__cause__ is cause


def test_the_cause_of_giving_up_is_the_last_crash() -> None:
    first, last = KeyError(), ValueError()
    error = errors.RestartIntensityExceeded("/", "a", 3, 5.0, (first, last))
    assert error.__cause__ is last
    assert errors.RestartIntensityExceeded("/", "a", 3, 5.0).__cause__ is None
