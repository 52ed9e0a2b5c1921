"""Receives commands, has the delegate do them, and answers."""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress

import attrs
import trio

from aip_trio.actors import Actor, StopReason
from aip_trio.errors import PeerGone
from aip_trio.errors._base import show
from aip_trio.rpc._wire import Reply
from aip_trio.rpc.service._clerk import Clerk, Job
from aip_trio.rpc.service._desk import Desk
from aip_trio.rpc.service._envelope import Envelope
from aip_trio.rpc.service._listening import KEEPALIVE, listen
from aip_trio.rpc.service._seldom import Seldom
from aip_trio.rpc.service._stepping import rest_of
from aip_trio.rpc.service._verdict import judged, raised
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

__all__ = ["Commands"]

logger = logging.getLogger("aip_trio.rpc")

#: Bytes of the largest request; whoever sends a larger one loses its connection.
_LARGEST_REQUEST = 16 * 1024 * 1024

#: Workers that stay when they have nothing to do.
_MOST_IDLE = 16

#: Requests that are refused one by one at a stop; those behind them are not answered.
_LAST_REQUESTS = 10_000

#: Seconds between two lines of the log about what clients, or the delegate, may do wrong very often.
_LOG_EVERY = 10.0

#: What is not the delegate's. `SystemExit` is: no service ends because a library calls `sys.exit`.
_TRIOS = (trio.Cancelled, KeyboardInterrupt)


@attrs.define(eq=False)
class _Worker:
    """One of the tasks that receive commands and do them."""

    leads: bool = True
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)


class Commands(Actor):
    """Owns the ROUTER socket, and the workers.

    One worker leads: it receives, and does what it has received. Where a delegate has to wait for something,
    another one leads from then on, and this one stays with its command. So a command that is done at once
    costs no task, and one that is not holds up nobody.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._clerk = desk.clerk = Clerk(desk, self._send)
        self._socket: ZeroMQSocket | None = None
        self._open = trio.CancelScope()
        self._nap = trio.CancelScope()
        self._came: deque[list[bytes]] = deque()
        self._receives = False
        self._idle = trio.lowlevel.ParkingLot()
        #: of the commands whose delegates take their time: what ends those
        self._scopes: dict[Job, trio.CancelScope] = {}
        self._failures = Seldom(_LOG_EVERY)
        self._malformed = Seldom(_LOG_EVERY)

    async def started(self) -> None:
        """Listen, where it did before if it did."""
        desk = self._desk
        options = desk.options
        self._socket = socket = ZeroMQSocket(
            Kind.ROUTER,
            send_limit=options.send_limit,
            max_size=_LARGEST_REQUEST,
            curve=options.curve,
            options=KEEPALIVE,
        )
        desk.commands_url = await listen(socket, options.host, options.command_port, desk.commands_url)
        self.nursery.start_soon(self._serve, socket)

    async def _serve(self, socket: ZeroMQSocket) -> None:
        with self._open:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._keep_time)
                nursery.start_soon(self._work, socket, nursery)

    async def _keep_time(self) -> None:
        """Answer as pending, and give up, what takes too long."""
        while True:
            with trio.CancelScope(deadline=self._clerk.next) as self._nap:
                await trio.sleep_forever()
            for job in self._clerk.put_off(trio.current_time()):
                timeout, name = self._desk.options.delegate_timeout, job.request.command.name
                logger.error(
                    "the delegate was given up: it did not return within %g s from %s", timeout, name
                )
                if job in self._scopes:  # else it is being cancelled already
                    self._scopes[job].cancel()

    async def _work(self, socket: ZeroMQSocket, nursery: trio.Nursery) -> None:  # noqa: ASYNC910 - internal
        worker = _Worker()
        while worker.leads or len(self._idle) < _MOST_IDLE:
            with trio.CancelScope() as worker.scope:  # for as many commands as are not given up
                while worker.leads or await self._may_lead(worker):
                    if not self._came:
                        await self._receive(socket)
                    job = self._take(self._came.popleft())
                    if job is not None:
                        await self._do(job, worker, socket, nursery)

    async def _receive(self, socket: ZeroMQSocket) -> None:
        self._receives = True
        try:
            self._came.extend(await socket.receive_many())
        except trio.ClosedResourceError:
            if self._open.cancel_called:  # it was about to receive as it was stopped
                await trio.lowlevel.checkpoint()  # noqa: ASYNC120 - the cancellation is what counts
            raise
        finally:
            self._receives = False

    async def _may_lead(self, worker: _Worker) -> bool:
        """Wait until another worker stands aside. False: its scope is used up, or others wait already."""
        if worker.scope.cancel_called or len(self._idle) >= _MOST_IDLE:
            return False  # noqa: ASYNC910 - internal
        await self._idle.park()
        worker.leads = True
        return True

    def _take(self, frames: list[bytes]) -> Job | None:
        malformed = self._desk.tally.malformed
        job = self._clerk.take(frames, max(len(self._scopes), self._desk.threads.borrowed_tokens))
        if self._desk.tally.malformed != malformed and self._malformed.allows(trio.current_time()):
            logger.warning("no request: %s%s", show(frames[-1]), self._malformed.others())
        return job

    async def _do(  # noqa: ASYNC910 - internal
        self, job: Job, worker: _Worker, socket: ZeroMQSocket, nursery: trio.Nursery
    ) -> None:
        """Have the delegate do it, and say what came of it, whatever that is."""
        try:
            coroutine = self._begun(job)
            try:
                trap = coroutine.send(None)  # up to where it first waits
            except StopIteration as returned:
                value: object = returned.value
            else:
                self._stand_aside(job, worker, socket, nursery)
                value = await rest_of(coroutine, trap)
            reply = judged(job.request, value)
        except BaseException as error:  # noqa: ASYNC103 - raised where it is Trio's
            if job.number and isinstance(error, GeneratorExit):  # it is this task that does not go on
                raise
            trios, others = BaseExceptionGroup("a delegate", [error]).split(_TRIOS)
            if others is None:
                raise
            reply = self._failed(job, error)
            if trios is not None:  # cancelled, it has failed as well
                raise trios from None  # noqa: ASYNC104 - nothing of Trio's is left out
        finally:
            self._scopes.pop(job, None)
        self._clerk.conclude(job, reply)

    def _begun(self, job: Job) -> Coroutine[object, object, object]:
        if not job.delegate.is_async:
            return _in_thread(job, self._desk.threads)
        promised = job.delegate.function(job.request)
        return promised if inspect.iscoroutine(promised) else _settled(promised)

    def _stand_aside(self, job: Job, worker: _Worker, socket: ZeroMQSocket, nursery: trio.Nursery) -> None:
        """Another worker leads from now on."""
        worker.leads = False
        self._scopes[job] = worker.scope
        self._clerk.stand(job, trio.current_time())
        if self._clerk.next < self._nap.deadline:
            self._nap.deadline = self._clerk.next
        if self._idle:
            self._idle.unpark()
        else:
            nursery.start_soon(self._work, socket, nursery)

    def _failed(self, job: Job, error: BaseException) -> Reply:
        if self._failures.allows(trio.current_time()):
            name, others = job.request.command.name, self._failures.others()
            logger.error("the delegate failed at %s%s", name, others, exc_info=error)
        return raised(job.request, error)

    def _send(self, envelope: Envelope, answer: bytes) -> None:
        assert self._socket is not None  # there was a request
        try:
            self._socket.send_nowait((*envelope, answer))
        except PeerGone:
            self._desk.tally.gone += 1
        except trio.WouldBlock:  # it does not take its answers, and the others must not wait for it
            self._desk.tally.unsent += 1

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Answer whatever is unanswered, and close."""
        socket = self._socket
        if socket is None:
            return  # noqa: ASYNC910 - not called from outside
        self._open.cancel()
        what = "restarts its commands" if isinstance(reason, BaseException) else "is stopping"
        try:
            self._clerk.close(f"the service {what}: it may have been done in part", f"the service {what}")
            while self._receives:  # cancelled, it hands in what it has taken already, and ends
                await trio.lowlevel.checkpoint()
            with suppress(trio.WouldBlock):
                for _ in range(_LAST_REQUESTS):
                    self._take(self._came.popleft() if self._came else socket.receive_nowait())
        finally:
            await socket.close()  # noqa: ASYNC102 - bounded by its linger


async def _in_thread(job: Job, threads: trio.CapacityLimiter) -> object:
    """Have a plain function do it; one that returns a coroutine, as a lambda may, is async after all."""
    (returned,) = await trio.to_thread.run_sync(
        _boxed, job, abandon_on_cancel=True, limiter=threads, thread_name="rpc delegate"
    )
    return await _settled(returned)


def _boxed(job: Job) -> tuple[object]:
    """What the delegate returns, in a box: a bare coroutine would be Trio's complaint, and not our value."""
    return (job.delegate.function(job.request),)


async def _settled(returned: object) -> object:
    return await returned if inspect.isawaitable(returned) else returned  # noqa: ASYNC910 - internal
