"""What a session decides, one case at a time; `test_session_model` tries them all together."""

import math

import pytest
from hypothesis import settings

from aip_trio.errors import IllegalTransition, InvalidSpec, LinkFault
from aip_trio.protocol import LINK_MACHINE, LinkEvent, LinkLimits, LinkState
from aip_trio.protocol.link import LinkSession
from aip_trio.testing import machine_test

LIMITS = LinkLimits(kept_messages=4, kept_bytes=100)


def session(limits: LinkLimits = LIMITS, window: float = 10.0) -> LinkSession:
    """One that is attached."""
    made = LinkSession(window=window, limits=limits)
    made.attached(0)
    return made


def sent(side: LinkSession) -> tuple[int, list[bytes]]:
    batch = side.next_batch()
    assert batch is not None
    return batch.first, list(batch.messages)


class Walked:
    """A session as the harness drives it."""

    def __init__(self) -> None:
        self._session = LinkSession(window=1.0, limits=LIMITS)

    @property
    def state(self) -> LinkState:
        return self._session.state

    def fire(self, event: LinkEvent) -> None:
        if event is LinkEvent.ATTACH:
            self._session.attached(0)
        elif event is LinkEvent.DETACH:
            self._session.detached(0.0)
        elif event is LinkEvent.CLOSE:
            self._session.closed()
        else:
            self._session.lost()


TestLinkMachine = machine_test(LINK_MACHINE, Walked, settings=settings(max_examples=30))


def test_messages_are_numbered_from_1_and_kept_until_they_are_acknowledged() -> None:
    side = session()
    assert all(side.offer(b"%d" % number) for number in range(4))
    assert not side.offer(b"4")
    assert sent(side) == (1, [b"0", b"1", b"2", b"3"])
    assert not side.pending
    assert side.acknowledged(2)
    assert side.replay.kept_messages == 2
    assert side.offer(b"4")
    assert sent(side) == (5, [b"4"])
    assert side.acknowledged(5)
    assert (side.replay.kept_messages, side.replay.kept_bytes) == (0, 0)
    assert not side.acknowledged(3)  # late, and so nothing new


def test_the_buffer_is_bounded_by_bytes_too_and_takes_a_larger_message_alone() -> None:
    side = session()
    assert side.offer(b"x" * 1000)
    assert not side.offer(b"")
    sent(side)
    side.acknowledged(1)
    assert side.offer(b"x" * 60)
    assert side.offer(b"x" * 40)
    assert not side.offer(b"x")


def test_a_batch_has_at_most_256_messages_or_64_kib_and_a_larger_message_goes_alone() -> None:
    side = session(LinkLimits())
    for number in range(600):
        side.offer(b"%d" % number)
    assert [len(sent(side)[1]) for _ in range(3)] == [256, 256, 88]
    for size in (40_000, 25_536, 1, 70_000, 70_000, 1, 1):
        side.offer(b"x" * size)
    sizes: list[list[int]] = []
    while side.pending:
        sizes.append([len(message) for message in sent(side)[1]])
    assert sizes == [[40_000, 25_536], [1], [70_000], [70_000], [1, 1]]


def test_what_was_not_seen_is_sent_again_on_the_next_connection_and_then_what_is_new() -> None:
    side = session()
    side.offer(b"a")
    sent(side)
    side.offer(b"b")
    side.offer(b"c")
    sent(side)
    side.detached(5.0)
    assert (side.deadline, side.detached_at) == (15.0, 5.0)
    side.offer(b"d")
    side.attached(2)  # the first, and a part of the second batch
    assert (side.deadline, side.detached_at) == (math.inf, -math.inf)
    assert sent(side) == (3, [b"c"])
    assert sent(side) == (4, [b"d"])
    assert side.resumptions == 1


def test_a_batch_that_may_have_gone_is_sent_again_before_what_is_new() -> None:
    side = session()
    side.offer(b"a")
    batch = side.next_batch()
    assert batch is not None
    side.offer(b"b")
    side.unsure(batch)
    assert side.replay.queued == 2
    assert sent(side) == (1, [b"a"])
    assert sent(side) == (2, [b"b"])
    side.unsure(batch)  # another one has gone since: that it came is known in time
    assert not side.pending


def test_a_batch_that_may_have_gone_and_had_is_acknowledged() -> None:
    side = session()
    side.offer(b"a")
    batch = side.next_batch()
    assert batch is not None
    side.unsure(batch)
    side.acknowledged(1)
    assert not side.pending
    assert side.replay.kept_messages == 0


def test_what_came_before_is_dropped_and_what_is_new_comes_in_order() -> None:
    side = session()
    assert side.received(1, 0, [b"a", b"b"], 2, 0.0) == [b"a", b"b"]
    assert side.received(2, 0, [b"b", b"c"], 2, 0.0) == [b"c"]
    assert side.received(1, 0, [b"a"], 1, 0.0) == []
    assert (side.seen, side.duplicates) == (3, 2)


def test_a_gap_and_an_acknowledgement_of_what_was_never_sent_are_faults() -> None:
    side = session()
    with pytest.raises(LinkFault, match="seq is 3 where 1 is due"):
        side.received(3, 0, [b"c"], 1, 0.0)
    side.offer(b"a")
    with pytest.raises(LinkFault, match="ack is 1 where 0"):
        side.acknowledged(1)
    sent(side)
    with pytest.raises(LinkFault, match="ack is 2 where 1"):
        side.received(1, 2, [b"x"], 1, 0.0)
    assert side.seen == 0


@pytest.mark.parametrize("seen", [0, 3], ids=["less", "more"])
def test_a_peer_can_have_seen_neither_less_than_it_acknowledged_nor_more_than_was_sent(seen: int) -> None:
    side = session()
    side.offer(b"a")
    side.offer(b"b")
    sent(side)
    side.acknowledged(1)
    side.detached(0.0)
    assert not side.can_resume(seen)
    with pytest.raises(LinkFault, match=f"seen is {seen}"):
        side.attached(seen)


def test_an_acknowledgement_is_due_after_a_tenth_of_a_second_or_64_messages_or_256_kib() -> None:
    side = session()
    assert (side.ack_wanted, side.ack_at) == (False, math.inf)
    side.received(1, 0, [b"x"] * 10, 10, 3.0)
    assert (side.ack_wanted, side.ack_at) == (False, 3.1)
    side.received(11, 0, [b"x"] * 53, 53, 3.05)
    assert (side.ack_wanted, side.ack_at) == (False, 3.1)
    side.received(64, 0, [b"x"], 1, 3.06)
    assert (side.ack_wanted, side.ack_at) == (True, math.inf)
    assert side.acking() == 64
    assert not side.ack_wanted
    side.received(65, 0, [b"x"], 262_144, 4.0)
    assert side.ack_wanted
    assert side.acking() == 65
    side.want_ack()  # of nothing
    assert not side.ack_wanted
    side.received(66, 0, [b"x"], 1, 5.0)
    side.want_ack()  # its time has come
    assert (side.ack_wanted, side.ack_at) == (True, math.inf)


def test_what_comes_twice_is_acknowledged_again() -> None:
    side = session()
    side.received(1, 0, [b"x"], 1, 0.0)
    side.acking()
    side.received(1, 0, [b"x"], 1, 1.0)
    assert side.ack_at == 1.1


def test_it_is_lost_when_its_window_is_over_and_not_before() -> None:
    side = session(window=10.0)
    assert not side.expire(1e9)
    side.detached(5.0)
    assert not side.expire(14.9)
    assert side.expire(15.0)
    assert side.state is LinkState.LOST
    assert not side.expire(16.0)
    with pytest.raises(IllegalTransition):
        side.attached(0)


def test_one_that_is_never_attached_is_lost_in_time() -> None:
    side = LinkSession(window=10.0, limits=LIMITS, until=3.0)
    assert not side.expire(2.9)
    assert side.expire(3.0)


@pytest.mark.parametrize("field", ["kept_messages", "kept_bytes", "unread_messages", "unread_bytes"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_a_limit_is_a_positive_number(field: str, value: object) -> None:
    with pytest.raises(InvalidSpec, match=field):
        LinkLimits(**{field: value})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_a_time_is_finite(value: float) -> None:
    with pytest.raises(InvalidSpec, match="close_timeout"):
        LinkLimits(close_timeout=value)
