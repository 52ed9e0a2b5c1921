"""Which classes a codec takes."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from aip_trio.errors import DecodeError, InvalidWireClass
from aip_trio.messages import Codec, Format


def private() -> type:
    @attrs.frozen
    class Private:
        _x: int

    return Private


def aliased() -> type:
    @attrs.frozen
    class Aliased:
        x: int = attrs.field(alias="y")

    return Aliased


def converted() -> type:
    @attrs.frozen
    class Converted:
        x: int = attrs.field(converter=int)

    return Converted


def kept_out() -> type:
    @attrs.frozen
    class KeptOut:
        x: int = attrs.field(init=False, default=3)

    return KeptOut


def bare() -> type:
    @attrs.frozen
    class Bare:
        x = attrs.field()  # type: ignore[var-annotated] # pyright: ignore[reportGeneralTypeIssues]

    return Bare


def dependent() -> type:
    @attrs.frozen
    class Dependent:
        x: int
        y: int = attrs.Factory(lambda self: self.x, takes_self=True)

    return Dependent


def self_made() -> type:
    @attrs.frozen(init=False)
    class SelfMade:
        x: int

        def __init__(self) -> None:
            object.__setattr__(self, "x", 3)

    return SelfMade


def untagged() -> type:
    @attrs.frozen
    class One:
        x: int

    @attrs.frozen
    class Other:
        y: int

    @attrs.frozen
    class Either:
        either: One | Other

    Either.__annotations__["either"] = One | Other
    return Either


def nowhere() -> type:
    @attrs.frozen
    class Nowhere:
        x: "Missing"  # type: ignore[name-defined] # noqa: F821 # pyright: ignore[reportUndefinedVariable]

    return Nowhere


def foreign() -> type:
    @attrs.frozen
    class Foreign:
        x: complex | None

    return Foreign


@attrs.frozen
class Inner:
    """Unfit, and within others."""

    _x: int


def within() -> type:
    @attrs.frozen
    class Outer:
        inner: dict[str, list[Inner | None]] | None

    return Outer


def plain() -> type:
    class Plain:
        x: int

    return Plain


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (private, "field _x is private, and would not be written; "),
        (aliased, "field x has the alias y, which is not looked at; "),
        (converted, "field x has a converter, which is not run; "),
        (kept_out, "field x has init=False, and yet would be read; "),
        (bare, "field x has no annotation, and would not be read; "),
        (dependent, "field y has a default that takes self; "),
        (self_made, "has an __init__ of its own, which is not called; "),
        (untagged, "has a field that cannot be read: Type unions may not contain more than one"),
        (nowhere, "has a field that cannot be read: name 'Missing' is not defined"),
        (foreign, "has a field of <class 'complex'>, which has no form on the wire: "),
        (within, "field _x is private"),
        (plain, "is no attrs class; "),
        (lambda: int, "is no attrs class; "),
    ],
)
def test_a_class_that_would_not_arrive_as_it_was_sent_is_refused(
    make: Callable[[], type], reason: str
) -> None:
    with pytest.raises(InvalidWireClass) as raised:
        Codec(make())
    assert reason in str(raised.value)


@attrs.frozen
class Node:
    """Holds itself, in every way."""

    number: int
    size: int = 1
    next: "Node | None" = None
    nodes: "list[Node] | None" = None
    named: "dict[str, Node] | None" = None


def test_a_class_may_hold_itself() -> None:
    codec = Codec(Node)
    node = Node(1, nodes=[Node(2, named={"a": Node(3, next=Node(4))})])
    assert codec.decode(codec.encode(node), Node) == node


def test_a_null_stands_for_a_default_however_deep() -> None:
    data = (
        b'{"number":1,"size":null,"nodes":[{"number":2,"size":null,"named":{"a":{"number":3,"size":null}}}]}'
    )
    assert Codec(Node).decode(data, Node) == Node(1, nodes=[Node(2, named={"a": Node(3)})])


def test_faults_are_found_however_deep() -> None:
    data = b'{"number":1,"next":{"number":1.5,"nodes":[{"number":null},{"number":1}],"named":{"a":[]}}}'
    with pytest.raises(DecodeError) as raised:
        Codec(Node).decode(data, Node)
    assert raised.value.faults == (
        "expected an integer, got 1.5 @ $.next.number",
        "is required @ $.next.nodes[0].number",
        "expected an object, got an array @ $.next.named['a']",
    )


@attrs.frozen
class Native:
    """Fields whose types the formats say in different ways."""

    data: bytes
    by_number: dict[int, int]
    either: int | str | None = None
    pair: tuple[int, str] | None = None
    size: int = 1
    limit: int | None = 5


@pytest.mark.parametrize("format", Format)
def test_types_beyond_jsons_own_are_read_back(format: Format) -> None:
    codec = Codec(Native, format=format)
    native = Native(b"\xff\x00", {1: 2}, "x", (1, "a"))
    assert codec.decode(codec.encode(native), Native) == native


def test_a_null_stands_for_nothing_else_than_itself_where_the_type_has_it() -> None:
    codec = Codec(Native)
    for size in (b"1", b"null"):  # read at once, and once more without the null
        data = b'{"data":"eA==","by_number":{"1":2},"size":' + size + b',"limit":null}'
        assert codec.decode(data, Native) == Native(b"x", {1: 2}, size=1, limit=None)


def test_what_msgspec_refuses_and_cattrs_does_not_explain_is_told_by_msgspec() -> None:
    @attrs.frozen
    class Keyed:
        by_number: dict[int, int]

    with pytest.raises(DecodeError) as raised:
        Codec(Keyed).decode(b'{"by_number":{"x":1}}', Keyed)
    (fault,) = raised.value.faults
    assert fault == "Expected `int`, got `str` @ key in $.by_number"


def test_text_is_no_binary_in_messagepack_whichever_path_reads_it() -> None:
    codec = Codec(Native, format=Format.MSGPACK)
    wrong: dict[str, Any] = {"data": "eA==", "by_number": {}}
    with pytest.raises(DecodeError, match=r"bytes.* @ \$\.data"):
        codec.convert(wrong, Native)
