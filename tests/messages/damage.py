"""Messages gone wrong: in what they say, and in their bytes."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from aip_trio.messages import WireModel
from aip_trio.messages._plain import is_array, is_object
from tests.messages.frames import VALID
from tests.messages.strategies import values

__all__ = ["damaged", "mutated"]

#: What stands in a wrong place, more often than not.
_wrong: list[Any] = [None, 7, 1.5, True, "x", "9", "null", "task", [], [None], [{}], {}, {"x": None}]
_others: st.SearchStrategy[Any] = st.sampled_from(_wrong).map(deepcopy) | values


@st.composite
def damaged(draw: st.DrawFn) -> tuple[type[WireModel], Any]:
    """A class, and plain values that were one of its messages, until some of them were changed."""
    frame = draw(st.sampled_from(VALID))
    plain: Any = [json.loads(frame.json)]
    for _ in range(draw(st.integers(1, 3))):
        places = _places(plain)
        container, key = places[draw(st.integers(0, len(places) - 1))]
        if draw(st.booleans()) or container is plain:
            container[key] = draw(_others)
        else:
            del container[key]
    return frame.model, plain[0]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value, as what holds it and its key there."""
    keys: list[Any] = []
    if is_object(value):
        keys = list(value)
    elif is_array(value):
        keys = list(range(len(value)))
    return [place for key in keys for place in [(value, key), *_places(value[key])]]


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """The same bytes with a few of them changed, lost, or come from nowhere."""
    mutant = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(mutant)))
        mutant[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(mutant)
