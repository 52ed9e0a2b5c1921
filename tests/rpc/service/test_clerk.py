"""What is answered, to whom, and when: against a model, without sockets and without a clock."""

import json
from typing import Any

from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aip_trio.rpc import ApiCommandRequest, ApiCommandRequestResponse, ApiCommandRequestResult, RpcOptions
from aip_trio.rpc.service._clerk import Clerk, Job
from aip_trio.rpc.service._delegate import Delegate
from aip_trio.rpc.service._desk import Desk
from aip_trio.rpc.service._outgoing import Outgoing
from aip_trio.rpc.service._verdict import judged
from tests.rpc.service.support import request

RESULT = ApiCommandRequestResult
CLIENTS = (b"a", b"b")
ZERO = 0


def nobody(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    raise NotImplementedError


class Bench:
    """A clerk with its desk, and what it has sent."""

    def __init__(self, **options: Any) -> None:
        self.desk = Desk(RpcOptions(**options), Outgoing(1000), delegate=Delegate.of(nobody))
        self.sent: list[tuple[bytes, dict[str, Any]]] = []
        self.clerk = Clerk(self.desk, self.send)

    def send(self, envelope: tuple[bytes, ...], answer: bytes) -> None:
        self.sent.append((envelope[0], json.loads(answer)))

    def take(self, client: bytes, nonce: int, *, running: int = 0) -> Job | None:
        return self.clerk.take([client, b"", request(400, nonce=nonce)], running)

    def published(self) -> list[dict[str, Any]]:
        return [json.loads(self.desk.outgoing.take().payload) for _ in range(len(self.desk.outgoing))]


def success(job: Job) -> Any:
    return judged(job.request, ApiCommandRequestResponse(RESULT.SUCCESS))


def test_after_the_close_everything_is_refused_and_what_ran_is_told_so_once() -> None:
    bench = Bench()
    told, untold = bench.take(b"a", 1), bench.take(b"b", 2)
    assert told is not None
    assert untold is not None
    bench.clerk.stand(told, 0)
    bench.clerk.put_off(1)
    bench.clerk.stand(untold, 1)
    bench.clerk.close("it was begun", "it is too late")
    bench.clerk.conclude(told, success(told))
    bench.clerk.conclude(untold, success(untold))
    assert bench.take(b"a", 3) is None
    assert [(who, reply["nonce"], reply["errorMessage"]) for who, reply in bench.sent] == [
        (b"a", 1, None),
        (b"b", 2, "it was begun"),
        (b"a", 3, "it is too late"),
    ]
    assert [(each["nonce"], each["errorMessage"]) for each in bench.published()] == [(1, "it was begun")]


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=4).filter(lambda frames: frames[0]))
def test_whatever_comes_is_answered_or_begun(frames: list[bytes]) -> None:
    bench = Bench()
    job = bench.clerk.take(frames, 0)
    assert (job is None) == (len(bench.sent) == 1)
    assert bench.desk.tally.malformed == len(bench.sent)


class AgainstAModel(RuleBasedStateMachine):
    """Each request is answered exactly once, in its client's order; each pending one ends exactly once."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(pending_after=2.0, delegate_timeout=10.0)
        self.now = 0.0
        self.asked: dict[bytes, list[int]] = {client: [] for client in CLIENTS}
        self.jobs: list[Job] = []  # not concluded by us, though the clerk may have given them up
        self.results: list[int] = []
        self.nonce = 0

    def ask(self, client: bytes, running: int = 0) -> Job | None:
        self.nonce += 1
        self.asked[client].append(self.nonce)
        return self.bench.take(client, self.nonce, running=running)

    @rule(client=st.sampled_from(CLIENTS))
    def done_at_once(self, client: bytes) -> None:
        job = self.ask(client)
        assert job is not None
        self.bench.clerk.conclude(job, success(job))

    @rule(client=st.sampled_from(CLIENTS))
    def takes_its_time(self, client: bytes) -> None:
        job = self.ask(client)
        assert job is not None
        self.bench.clerk.stand(job, self.now)
        self.jobs.append(job)

    @rule(client=st.sampled_from(CLIENTS))
    def too_much(self, client: bytes) -> None:
        assert self.ask(client, running=256) is None

    @rule(client=st.sampled_from(CLIENTS))
    def malformed(self, client: bytes) -> None:
        self.asked[client].append(ZERO)
        assert self.bench.clerk.take([client, b"", b"no json"], 0) is None

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), result=st.sampled_from([RESULT.SUCCESS, RESULT.PENDING_WITH_NOTIFICATION]))
    def ends(self, data: st.DataObject, result: ApiCommandRequestResult) -> None:
        job = data.draw(st.sampled_from(self.jobs))
        self.jobs.remove(job)
        if job.told and not job.done and result == RESULT.SUCCESS:
            self.results.append(job.request.nonce)
        self.bench.clerk.conclude(job, judged(job.request, ApiCommandRequestResponse(result)))

    @rule(seconds=st.sampled_from([0.5, 1.5, 9.0]))
    def time_passes(self, seconds: float) -> None:
        told = {job.request.nonce for job in self.jobs if job.told}
        self.now += seconds
        given_up = self.bench.clerk.put_off(self.now)
        self.results += [job.request.nonce for job in given_up if job.request.nonce in told]
        assert self.bench.clerk.next > self.now

    @invariant()
    def answers_are_in_order_and_none_is_missing(self) -> None:
        for client, asked in self.asked.items():
            got = [reply["nonce"] for who, reply in self.bench.sent if who == client]
            assert got == asked[: len(got)]
            unanswered = [
                job.request.nonce
                for job in self.jobs
                if job.envelope[0] == client and not (job.told or job.done)
            ]
            # Nothing is held back but by one that is not known yet.
            assert len(got) == (asked.index(min(unanswered)) if unanswered else len(asked))

    @invariant()
    def each_pending_command_has_one_end(self) -> None:
        queued = [json.loads(message.payload)["nonce"] for message in self.bench.desk.outgoing._messages]
        assert queued == self.results
        assert self.bench.clerk.running == len([job for job in self.jobs if not job.done])


TestTheClerkAgainstAModel = AgainstAModel.TestCase
