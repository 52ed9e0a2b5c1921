import copy
import pickle
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aip_trio.rpc._command import ApiCommand, ApiCommandReqeustResult, ApiCommandRequestResult
from aip_trio.rpc._event import ApiEventKind
from aip_trio.rpc._open_enum import Members, OpenEnum
from aip_trio.rpc._topic import ApiTopic

kinds = st.sampled_from([ApiTopic, ApiCommand, ApiEventKind, ApiCommandRequestResult])
integers = st.integers(-(2**64) + 1, 2**64 - 1)


@given(kinds, integers)
def test_every_integer_of_64_bits_is_carried(kind: type[OpenEnum], value: int) -> None:
    member = kind(value)
    assert type(member) is kind
    assert member == value
    assert int(member) == member.value == value
    assert hash(member) == hash(value)
    assert member.name
    assert member.known == (value in {int(named) for named in kind})
    assert kind(member) == member


@given(kinds, integers)
def test_a_member_known_or_not_can_be_copied_and_pickled(kind: type[OpenEnum], value: int) -> None:
    member = kind(value)
    for again in (copy.deepcopy(member), pickle.loads(pickle.dumps(member))):
        assert type(again) is kind
        assert again == member


def test_an_unknown_integer_is_not_kept() -> None:
    before = len(ApiTopic._value2member_map_), list(ApiTopic)
    assert ApiTopic(7).name == "UNKNOWN_7"
    assert ApiTopic(-7).name == "UNKNOWN_MINUS_7"
    assert repr(ApiTopic(7)) == "<ApiTopic.UNKNOWN_7: 7>"
    assert (len(ApiTopic._value2member_map_), list(ApiTopic)) == before


@pytest.mark.parametrize("value", ["7", None, 7.5, 2**64, -(2**64), 10**5000, (7,)], ids=lambda _: "")
def test_what_is_no_integer_of_64_bits_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is not a valid ApiTopic|Exceeds the limit"):
        ApiTopic(value)


def test_a_named_integer_is_its_member() -> None:
    assert ApiTopic(4001) is ApiTopic.EVENT
    assert ApiCommandReqeustResult is ApiCommandRequestResult
    assert isinstance(ApiTopic.EVENT, IntEnum)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (101, "core"),
        (1999, "behavior"),
        (2001, "device"),
        (3000, "inference"),
        (4001, "analysis"),
        (5999, "training"),
        (9000, "application"),
        (6001, "unknown"),
        (10_000, "unknown"),
        (-1, "unknown"),
    ],
)
def test_the_range_of_an_event_kind_is_told_by_name(kind: int, part: str) -> None:
    assert ApiEventKind(kind).range == part


@given(kinds, integers)
def test_members_are_what_a_call_of_the_class_gives_and_do_not_grow(kind: type[OpenEnum], value: int) -> None:
    members = Members(kind)
    known = len(members)
    assert (members[value], type(members[value]), members[value].name) == (value, kind, kind(value).name)
    assert all(members[int(member)] is member for member in kind)
    assert len(members) == known
