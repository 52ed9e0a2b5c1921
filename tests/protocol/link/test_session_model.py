"""Two sessions, and a connection between them that is cut, delayed and delivered in part, at any byte.

Whatever is offered on one side comes out on the other once, in order, as long as neither window ends; where
one does, both ends say so. The frames are those of the wire, in both formats.
"""

from __future__ import annotations

import attrs
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aip_trio.protocol import LinkLimits, LinkState
from aip_trio.protocol.link import LinkSession
from aip_trio.protocol.link._frames import Ack, BatchFrame
from aip_trio.protocol.link._wire import Wire, wire_of

WINDOW = 10.0
ENDS = st.sampled_from([0, 1])


def _pipe() -> bytearray:
    return bytearray()


@attrs.define(eq=False)
class End:
    """A session, what its program offered and got, and the bytes on their way from it."""

    session: LinkSession
    offered: list[bytes] = attrs.field(factory=list[bytes])
    got: list[bytes] = attrs.field(factory=list[bytes])
    pipe: bytearray = attrs.field(factory=_pipe)  # frames, each after its length
    read: bytearray = attrs.field(factory=_pipe)  # what has come out of the other's pipe


class Resumption(RuleBasedStateMachine):
    """The rules are what programs, the network and the clock do."""

    @initialize(subprotocol=st.sampled_from(["aip.v2+json", "aip.v2+msgpack"]), kept=st.integers(1, 400))
    def begin(self, subprotocol: str, kept: int) -> None:
        wire = wire_of(subprotocol)
        assert wire is not None
        self.wire: Wire = wire
        limits = LinkLimits(kept_messages=kept, kept_bytes=100_000)
        self.ends = tuple(End(LinkSession(window=WINDOW, limits=limits)) for _ in range(2))
        self.now = 0.0
        self.connected = False
        self.ready = True

    ready = False

    def alive(self) -> bool:
        return not any(end.session.over for end in self.ends)

    # Programs

    @precondition(lambda self: self.ready and self.alive())
    @rule(which=ENDS, count=st.integers(1, 300), size=st.sampled_from([0, 1, 10, 1000, 70_000]))
    def offer(self, which: int, count: int, size: int) -> None:
        end = self.ends[which]
        for _ in range(count):
            message = b"%d-%d-" % (which, len(end.offered)) + b"x" * size
            if not end.session.offer(message):
                assert end.session.replay.kept_messages
                break
            end.offered.append(message)

    # The shell

    @precondition(lambda self: self.ready and self.connected)
    @rule(which=ENDS, unsure=st.booleans(), gone=st.booleans())
    def write(self, which: int, unsure: bool, gone: bool) -> None:
        """A frame is written; or its write is called off, and it may have gone all the same."""
        end = self.ends[which]
        batch = end.session.next_batch()
        if batch is not None:
            frame = self.wire.batch(batch.first, end.session.acking(), batch.messages)
            if not unsure or gone:
                end.pipe += len(frame).to_bytes(4) + frame
            if unsure:
                end.session.unsure(batch)
        elif end.session.ack_wanted:
            frame = self.wire.frame(Ack(end.session.acking()))
            end.pipe += len(frame).to_bytes(4) + frame

    # The network

    @precondition(lambda self: self.ready and self.connected)
    @rule(which=ENDS, part=st.floats(0, 1))
    def deliver(self, which: int, part: float) -> None:
        """Some of the bytes on their way arrive, or all of them."""
        sender, receiver = self.ends[which], self.ends[1 - which]
        count = round(len(sender.pipe) * part)
        receiver.read += sender.pipe[:count]
        del sender.pipe[:count]
        while len(receiver.read) >= 4:
            length = int.from_bytes(receiver.read[:4])
            if len(receiver.read) < 4 + length:
                break
            self.take(receiver, bytes(receiver.read[4 : 4 + length]))
            del receiver.read[: 4 + length]

    def take(self, end: End, data: bytes) -> None:
        frame = self.wire.read(data)
        if isinstance(frame, BatchFrame):
            end.got += end.session.received(frame.seq, frame.ack, frame.messages, len(data), self.now)
        else:
            assert isinstance(frame, Ack)
            end.session.acknowledged(frame.ack)

    @precondition(lambda self: self.ready and self.connected)
    @rule()
    def cut(self) -> None:
        """All that is on its way is gone."""
        self.connected = False
        for end in self.ends:
            end.session.detached(self.now)
            end.pipe.clear()
            end.read.clear()

    @precondition(lambda self: self.ready and not self.connected and self.alive())
    @rule()
    def connect(self) -> None:
        """Both say what they have seen, as hello and welcome do."""
        seen = [end.session.seen for end in self.ends]
        assert all(end.session.can_resume(seen[1 - which]) for which, end in enumerate(self.ends))
        for which, end in enumerate(self.ends):
            end.session.attached(seen[1 - which])
        self.connected = True

    # The clock

    @precondition(lambda self: self.ready)
    @rule(seconds=st.sampled_from([0.05, 0.1, 1.0, WINDOW]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for end in self.ends:
            end.session.expire(self.now)
            if end.session.ack_at <= self.now:
                end.session.want_ack()

    # What holds

    @invariant()
    def each_message_comes_once_and_in_order(self) -> None:
        if self.ready:
            for which, end in enumerate(self.ends):
                offered = self.ends[1 - which].offered
                assert end.got == offered[: len(end.got)]

    @invariant()
    def what_has_not_come_is_kept(self) -> None:
        if self.ready:
            for which, end in enumerate(self.ends):
                missing = len(end.offered) - len(self.ends[1 - which].got)
                assert end.session.replay.kept_messages >= missing

    @invariant()
    def the_window_ends_at_both_ends(self) -> None:
        if self.ready:
            states = {end.session.state for end in self.ends}
            assert (LinkState.LOST in states) == (states == {LinkState.LOST})

    def teardown(self) -> None:
        """Given a connection and time, all that was offered has come, and is kept no more."""
        if not self.ready or not self.alive():
            return
        if not self.connected:
            self.connect()
        for _ in range(100_000):
            if not any(
                end.session.pending or end.pipe or end.session.replay.kept_messages for end in self.ends
            ):
                break
            for which in (0, 1):
                self.write(which, False, False)
                self.deliver(which, 1.0)
            self.wait(0.1)
        for which, end in enumerate(self.ends):
            assert end.got == self.ends[1 - which].offered
            assert end.session.replay.kept_messages == end.session.replay.kept_bytes == 0


TestResumption = Resumption.TestCase
TestResumption.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
