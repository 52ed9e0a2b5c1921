"""Who is answered what, and when; without I/O or clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import attrs

from aip_trio.rpc._command import ApiCommand, ApiCommandRequest, ApiCommandRequestResult
from aip_trio.rpc._wire import Reply, parse_request
from aip_trio.rpc.service._deadlines import Deadlines
from aip_trio.rpc.service._delegate import Delegate
from aip_trio.rpc.service._desk import Desk
from aip_trio.rpc.service._envelope import Envelope, opened
from aip_trio.rpc.service._lines import Lines
from aip_trio.rpc.service._replay import replayed
from aip_trio.rpc.service._verdict import UNRECOGNIZED, gave_up, pending, response_of, unavailable, written

__all__ = ["Clerk", "Job"]

_NONE, _REPLAY = int(ApiCommand.NONE), int(ApiCommand.REPLAY)
_NOTIFIED = int(ApiCommandRequestResult.PENDING_WITH_NOTIFICATION)

_NO_REQUEST = written(UNRECOGNIZED)

#: Answers that wait for an earlier one to the same client: beyond, that one is answered as pending.
_LONGEST_LINE = 1024


@attrs.define(eq=False)
class Job:
    """A command for the delegate."""

    envelope: Envelope
    request: ApiCommandRequest
    delegate: Delegate
    number: int = 0  #: among those whose delegates take their time; 0: it is none of them
    told: bool = False  #: its client has been told that it is pending
    done: bool = False  #: everything has been said


class Clerk:
    """Sees to it that each request is answered exactly once, and each client in the order of its requests.

    ``send`` sends a reply. What ``take`` returns is to be ended by `conclude`, at once or after `stand`.
    """

    def __init__(self, desk: Desk, send: Callable[[Envelope, bytes], None]) -> None:
        self._desk = desk
        self._send = send
        self._lines: Lines[Envelope, bytes] = Lines()
        self._deadlines = Deadlines(desk.options.pending_after, desk.options.delegate_timeout)
        self._jobs: dict[int, Job] = {}
        self._numbers = itertools.count(1)
        self._closed: str | None = None

    @property
    def next(self) -> float:
        """When `put_off` is worth a call, on the clock that `stand` is told."""
        return self._deadlines.next

    @property
    def running(self) -> int:
        """Commands whose delegates take their time."""
        return len(self._jobs)

    @property
    def pending(self) -> int:
        """Those of them whose clients have been told so."""
        return sum(job.told for job in self._jobs.values())

    def take(self, frames: Sequence[bytes], running: int) -> Job | None:
        """A message has come. Returns what a delegate is to do; None: it is answered already.

        ``running``: how many delegates run.
        """
        desk = self._desk
        envelope, body = opened(frames)
        request = None if body is None else parse_request(body)
        if request is None or request.command == _NONE:
            desk.tally.malformed += 1
            self._answer(envelope, UNRECOGNIZED, _NO_REQUEST)
        elif self._closed is not None:
            self._say(envelope, unavailable(request, self._closed))
        elif request.command == _REPLAY:
            reply, answer, events = replayed(desk.history, request)
            desk.tally.replayed += events
            self._answer(envelope, reply, answer)
        elif desk.delegate is None:
            self._say(envelope, unavailable(request, None))
        elif running >= desk.options.max_commands:
            self._say(envelope, unavailable(request, f"{running} commands run already; try again later"))
        else:
            return Job(envelope, request, desk.delegate)
        return None

    def stand(self, job: Job, now: float) -> None:
        """Its delegate takes its time: whatever its client asks meanwhile is answered after it."""
        job.number = next(self._numbers)
        self._jobs[job.number] = job
        self._deadlines.begin(job.number, now)
        self._stand(job.envelope, job.number)

    def conclude(self, job: Job, reply: Reply) -> None:
        """It is known what becomes of a job; of one that is done already nothing more is said."""
        if job.done:
            return
        job.done = True
        if not job.number:
            self._say(job.envelope, reply)
            return
        del self._jobs[job.number]
        self._deadlines.end(job.number)
        if not job.told:
            self._fill(job.envelope, job.number, reply, written(reply))
        elif reply.result != _NOTIFIED:  # else the delegate will tell the end itself
            self._desk.publish_result(response_of(reply))

    def put_off(self, now: float) -> list[Job]:
        """Answer what has taken too long as pending. Returns the jobs whose delegates are to be given up."""
        late, overdue = self._deadlines.due(now)
        for number in late:
            self._tell_pending(self._jobs[number])
        given_up = [self._jobs[number] for number in overdue]
        for job in given_up:
            self._desk.tally.given_up += 1
            self.conclude(job, gave_up(job.request, self._desk.options.delegate_timeout or 0))
        return given_up

    def close(self, begun: str, later: str) -> None:
        """Whatever is not done will not be: say ``begun`` of what was, and ``later`` of what comes."""
        self._closed = later
        for job in list(self._jobs.values()):
            self.conclude(job, unavailable(job.request, begun))

    def _tell_pending(self, job: Job) -> None:
        job.told = True
        self._deadlines.answered(job.number)
        reply = pending(job.request)
        self._fill(job.envelope, job.number, reply, written(reply))

    def _say(self, envelope: Envelope, reply: Reply) -> None:
        self._answer(envelope, reply, written(reply))

    def _answer(self, envelope: Envelope, reply: Reply, answer: bytes) -> None:
        """Answer what stands in no line yet: at once, unless its client has one."""
        if self._lines and envelope in self._lines:
            number = next(self._numbers)
            self._stand(envelope, number)
            self._fill(envelope, number, reply, answer)
        else:
            self._desk.tally.replies[int(reply.result)] += 1
            self._send(envelope, answer)

    def _stand(self, envelope: Envelope, number: int) -> None:
        if self._lines.stand(envelope, number) > _LONGEST_LINE:
            self._tell_pending(self._jobs[self._lines.first(envelope)])

    def _fill(self, envelope: Envelope, number: int, reply: Reply, answer: bytes) -> None:
        self._desk.tally.replies[int(reply.result)] += 1
        for due in self._lines.answer(envelope, number, answer):
            self._send(envelope, due)
