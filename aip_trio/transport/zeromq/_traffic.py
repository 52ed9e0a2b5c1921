"""Sending and receiving on a ZeroMQ socket."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Final, Literal, NoReturn

import trio
import zmq

from aip_trio.errors import InvalidFrames, OutOfStep
from aip_trio.transport.zeromq._fault import Frame, closed, named
from aip_trio.transport.zeromq._kind import Kind
from aip_trio.transport.zeromq._peer import Delivery
from aip_trio.transport.zeromq._readiness import READABLE, WRITABLE, Readiness

__all__ = ["Traffic"]

# As plain integers: arithmetic on pyzmq's enums costs more than a message does.
_NOW: Final = int(zmq.NOBLOCK)
_MORE_NOW: Final = int(zmq.NOBLOCK | zmq.SNDMORE)

#: Messages that one call of `receive_many` returns at most: the scheduler has its turn between two calls.
_MANY = 256

_TOO_FEW = {
    1: "a message has one frame at least: give [b''] for an empty one",
    2: "a ROUTER's message has two frames at least: give the peer's routing id, and what to send to it",
}


class Traffic:
    """Messages to and from one ZeroMQ socket, of one or more frames; any number of tasks may do either."""

    def __init__(self, kind: Kind, socket: zmq.Socket[bytes], *, picky: bool = False) -> None:
        self.kind = kind
        self._least = 2 if kind is Kind.ROUTER else 1  # frames of a message that is sent
        self._socket = socket
        self._readiness = Readiness(socket, picky=picky)
        # pyzmq's own `send` is a layer in Python over this one, for drafts, and takes longer than libzmq
        # does. This copies each frame: to do without, pyzmq has a thread that collects the garbage.
        self._send: Callable[[Frame, int], object] = super(zmq.Socket, socket).send
        self._receive: Callable[[int, Literal[False]], zmq.Frame] = super(zmq.Socket, socket).recv
        self._receive_bytes: Callable[[int], bytes] = super(zmq.Socket, socket).recv
        self._named = kind is Kind.ROUTER  # each message that comes begins with its peer's name
        self._in_step = kind in (Kind.REQ, Kind.REP) or not kind.receives  # only a try tells what is wrong

    # Sending

    async def send(self, frames: Sequence[Frame]) -> None:
        """Send one message; waits while `WhenFull.WAIT` says so. A checkpoint.

        Cancelled, it was not sent. Raises InvalidFrames, WrongKind, OutOfStep, PeerGone, ClosedResourceError.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        waited = False
        while not self._put(frames):
            await self._readiness.wait(WRITABLE)
            waited = True
        if not waited:
            await trio.lowlevel.cancel_shielded_checkpoint()

    def send_nowait(self, frames: Sequence[Frame]) -> None:
        """Send one message, or raise WouldBlock. Otherwise as `send`."""
        if not self._put(frames):
            self._readiness.look()
            raise trio.WouldBlock

    def _put(self, frames: Sequence[Frame]) -> bool:
        """False: there is no room."""
        # First of all: a message cannot be taken back when a part of it has been sent.
        for frame in frames:
            if type(frame) is not bytes:
                _check_frame(frames, frame)
        if len(frames) < self._least:
            raise InvalidFrames(frames, _TOO_FEW[self._least])
        send = self._send
        try:
            for frame in frames[:-1]:
                send(frame, _MORE_NOW)
            send(frames[-1], _NOW)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            self._readiness.look()
            raise named(error, self.kind, "send", frames[0]) from None
        if self._readiness.waiting:
            self._readiness.look()
        return True

    # Receiving

    async def receive(self) -> list[bytes]:
        """The next message. A checkpoint. Cancelled, it is left for the next who asks.

        Raises WrongKind, OutOfStep, ClosedResourceError.
        """
        return (await self._next())[0][0]

    def receive_nowait(self) -> list[bytes]:
        """The next message, or WouldBlock. Otherwise as `receive`."""
        taken = self._take()
        if taken is None:
            self._readiness.look()
            raise trio.WouldBlock
        return taken[0]

    async def receive_many(self) -> list[list[bytes]]:
        """The messages that have come, at least one, at most 256. A checkpoint. Otherwise as `receive`.

        One that had to be waited for comes alone: those behind it are there for the next call.
        """
        (frames, _), waited = await self._next()
        messages = [frames]
        if waited:  # to look for a second one, mostly in vain, takes longer than to receive this one
            return messages
        take = self._take
        with contextlib.suppress(OutOfStep):  # it is for those who ask next
            while len(messages) < _MANY and (taken := take()) is not None:
                messages.append(taken[0])
        self._readiness.look()
        return messages

    async def receive_with_peer(self) -> Delivery:
        """The next message, and whom it came from. A checkpoint. Otherwise as `receive`."""
        return Delivery(*(await self._next())[0])

    async def receive_many_with_peer(self) -> list[Delivery]:
        """As `receive_many`, with whom they came from: looked up for those that are asked for it."""
        first, waited = await self._next()
        deliveries = [Delivery(*first)]
        if waited:
            return deliveries
        with contextlib.suppress(OutOfStep):
            while len(deliveries) < _MANY and (taken := self._take()) is not None:
                deliveries.append(Delivery(*taken))
        self._readiness.look()
        return deliveries

    async def _next(self) -> tuple[tuple[list[bytes], zmq.Frame], bool]:
        """A message with its last frame, and whether it had to be waited for."""
        await trio.lowlevel.checkpoint_if_cancelled()
        # To ask takes a third of the time of a try that fails, and tells the same, but for what is wrong.
        waited = not (self._in_step or self._readiness.may_be(READABLE))
        if waited:
            await self._readiness.wait(READABLE)
        while (taken := self._take()) is None:
            await self._readiness.wait(READABLE)
            waited = True
        if not waited:
            await trio.lowlevel.cancel_shielded_checkpoint()
        return taken, waited

    def _take(self) -> tuple[list[bytes], zmq.Frame] | None:
        """A message and its last frame, which knows the peer. None: there is none."""
        receive = self._receive
        try:
            # As a Frame, although that takes longer than bytes do: to ask whether more follow, as one has to
            # with bytes, takes longer still. After a name more follow always.
            frames = [self._receive_bytes(_NOW)] if self._named else []
            frame = receive(_NOW, False)
            frames.append(frame.bytes)
            while frame.more:
                frame = receive(_NOW, False)
                frames.append(frame.bytes)
        except zmq.Again:
            return None
        except zmq.ZMQError as error:
            self._readiness.look()
            raise named(error, self.kind, "receive") from None
        if self._readiness.waiting:
            self._readiness.look()
        return frames, frame

    # Closing

    @property
    def closed(self) -> bool:
        """Whether it was closed, by `close` or by the end of the run."""
        return self._socket.closed

    def close_now(self, linger: float = 0.0) -> None:
        """Close it. What waits to be sent has ``linger`` seconds more, in the background."""
        if not self._socket.closed:
            self._readiness.close()
            self._socket.close(linger=round(1000 * linger))
        self._send = self._receive = self._receive_bytes = _closed


def _closed(*_: object) -> NoReturn:
    raise closed()


def _check_frame(frames: Sequence[Frame], frame: object) -> None:
    if isinstance(frames, (str, bytes, bytearray, memoryview)):
        raise InvalidFrames(frames, "is one frame: give a list of them")
    if isinstance(frame, memoryview) and not frame.contiguous:
        raise InvalidFrames(frames, "holds a memoryview that is not contiguous: give bytes(view)")
    if not isinstance(frame, (bytes, bytearray, memoryview)):
        raise InvalidFrames(
            frames, f"holds a {type(frame).__qualname__}: give bytes, bytearray or memoryview"
        )
