"""Keys are called what pyhumps calls them, which both versions use."""

from collections.abc import Generator

import pytest
from hypothesis import given, strategies as st

from aip_trio.rpc._casing import CAMEL, SNAKE
from tests.peers.programs import Dialogue, Peer

#: Words, capitals, digits and separators in all ways, and anything else now and then.
NAMES = st.one_of(
    st.from_regex(r"[a-z]+(_[a-z0-9]+){0,4}", fullmatch=True),
    st.from_regex(r"[a-z]+([A-Z][a-z0-9]*){0,4}", fullmatch=True),
    st.text("aAbB01_- ", max_size=12),
    st.text(st.characters(codec="utf-8", max_codepoint=0x17F), max_size=12),
)
BATCHES = st.lists(NAMES, min_size=1, max_size=30)


@pytest.fixture(scope="module")
def names(peer: Peer) -> Generator[Dialogue]:
    with peer.run("peer_casing.py") as dialogue:
        yield dialogue


@given(batch=BATCHES)
def test_a_key_goes_out_under_the_peers_name(names: Dialogue, batch: list[str]) -> None:
    theirs = names.ask("camelize", [{name: 1} for name in batch])
    assert [{CAMEL[name]: 1} for name in batch] == theirs


@given(batch=BATCHES)
def test_a_key_comes_in_under_the_peers_name(names: Dialogue, batch: list[str]) -> None:
    theirs = names.ask("decamelize", [{name: 1} for name in batch])
    assert [{SNAKE[name]: 1} for name in batch] == theirs
