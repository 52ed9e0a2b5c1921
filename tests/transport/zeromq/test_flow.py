"""How much two ends have on the way, against a model of the queue between them."""

from __future__ import annotations

from collections import deque
from itertools import count

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aip_trio.errors import ConnectionLost
from aip_trio.transport._codec import FrameFault
from aip_trio.transport.zeromq._flow import WINDOW, Inflow, Outflow, weight

SMALL = 8192


def marks() -> count[int]:
    return count(1)


class TwoEnds(RuleBasedStateMachine):
    """A sender, a wire each way, and a receiver whose application takes messages when it likes."""

    def __init__(self) -> None:
        super().__init__()
        numbers = marks()
        self.outflow = Outflow(SMALL, lambda: next(numbers).to_bytes(8))
        self.inflow = Inflow(SMALL)
        self.wire: deque[tuple[tuple[int, ...], bytes]] = deque()
        self.back: deque[bytes] = deque()
        self.waiting: deque[int] = deque()

    @precondition(lambda self: self.outflow.open)
    @rule(sizes=st.lists(st.integers(0, 20_000), min_size=1, max_size=2))
    def send(self, sizes: list[int]) -> None:
        self.wire.append((tuple(sizes), self.outflow.send(*sizes)))

    @precondition(lambda self: self.wire)
    @rule()
    def arrive(self) -> None:
        sizes, mark = self.wire.popleft()
        self.inflow.came(*sizes, mark=mark)  # never a fault: the sender keeps to the rules
        self.waiting.extend(sizes)

    @precondition(lambda self: self.waiting)
    @rule()
    def take(self) -> None:
        if mark := self.inflow.took(self.waiting.popleft()):
            self.back.append(mark)

    @rule()
    def drop(self) -> None:
        self.waiting.clear()
        self.back.extend(self.inflow.drop())

    @precondition(lambda self: self.back)
    @rule()
    def tell(self) -> None:
        self.outflow.taken(self.back.popleft())

    @invariant()
    def what_is_held_is_what_waits(self) -> None:
        assert self.inflow.held == sum(map(weight, self.waiting))

    @invariant()
    def the_sender_is_never_further_ahead_than_it_thinks(self) -> None:
        on_the_way = sum(weight(size) for sizes, _ in self.wire for size in sizes)
        assert self.outflow.ahead >= on_the_way + self.inflow.held

    @invariant()
    def who_has_nothing_on_the_way_may_send(self) -> None:
        if not (self.wire or self.waiting or self.back):
            assert self.outflow.open


TestTwoEnds = TwoEnds.TestCase


def test_a_receiver_is_not_sent_more_than_its_window_and_one_message() -> None:
    outflow = Outflow(SMALL, lambda: b"12345678")
    sent = 0
    while outflow.open:
        outflow.send(100)
        sent += weight(100)
    assert SMALL <= sent < SMALL + weight(100)


def test_the_window_of_a_boastful_peer_is_not_taken_at_its_word() -> None:
    outflow = Outflow(2**60, lambda: b"12345678")
    outflow.send(WINDOW)
    assert not outflow.open


def test_who_sends_beyond_the_window_is_told_so() -> None:
    inflow = Inflow(SMALL)
    inflow.came(SMALL, mark=b"")
    with pytest.raises(FrameFault, match="window") as raised:
        inflow.came(0, mark=b"")
    assert raised.value.code == 1008
    assert isinstance(raised.value.error, ConnectionLost)


@given(st.binary(max_size=8))
def test_a_peer_cannot_claim_to_have_taken_what_it_never_read(mark: bytes) -> None:
    outflow = Outflow(SMALL, lambda: b"unguessed")
    outflow.send(SMALL)
    with pytest.raises(FrameFault) as raised:
        outflow.taken(mark)
    assert raised.value.code == 1002
    assert not outflow.open
    outflow.taken(b"unguessed")
    assert outflow.open
    with pytest.raises(FrameFault):  # nor twice
        outflow.taken(b"unguessed")
