"""Trees of supervisors, and actors that are known by their names."""

from __future__ import annotations

import logging

import attrs
import pytest

from aip_trio.actors import ActorRef, ChildSpec, RestartType, Supervisor, SupervisorRef, handles
from aip_trio.errors import RestartIntensityExceeded
from tests.actors.otp._case import Case, as_supervisor, counts, run, states
from tests.actors.otp._children import Die, Died, Kill, OnceOnly, Stop, Switch


def test_tree() -> None:
    async def main(case: Case) -> None:
        top = await case.supervisor(strategy="one_for_all", intensity=4, name="top")
        child1, child2 = case.child("child1"), case.child("child2")
        sups = [
            as_supervisor(await top.start_child(spec))
            for spec in (
                ChildSpec("supchild1", case.factory(child1, child2, intensity=4)),
                ChildSpec("supchild2", case.factory(intensity=4)),
                ChildSpec("supchild3", case.factory(intensity=4), restart=RestartType.TRANSIENT),
            )
        ]
        sup1, sup2, sup3 = sups
        await top.terminate_child("supchild3")
        assert counts(top) == [3, 2, 3, 0]
        assert counts(sup1) == [2, 2, 0, 2]
        assert counts(sup2) == [0, 0, 0, 0]
        fixed = [child.ref for child in sup1.which_children()]
        pids = [await case.pid(ref) for ref in fixed]

        # children that are added while it runs
        switch = Switch()
        child3 = await sup2.start_child(case.child("child3", OnceOnly, switch))
        child4 = await sup2.start_child(case.child("child4"))
        assert counts(sup1) == counts(sup2) == [2, 2, 0, 2]

        # only what dies is restarted
        pid3, pid4 = await case.pid(child3), await case.pid(child4)
        await case.does(child4, Die())
        assert [await case.pid(ref) for ref in fixed] == pids
        assert await case.pid(child3) == pid3
        assert await case.pid(child4) != pid4

        # the tree is restarted, but not what was added to it
        await case.does(child3, Die())
        error = case.crash(sup2)
        assert isinstance(error, RestartIntensityExceeded)
        assert (error.supervisor, error.child) == ("/top/supchild2", "child3")
        assert [child.ref for child in top.which_children()] == sups  # all behind the same refs
        assert states(top) == dict.fromkeys(("supchild1", "supchild2", "supchild3"), "running")
        assert counts(top) == [3, 3, 3, 0]
        assert states(sup1) == {"child1": "running", "child2": "running"}
        assert counts(sup2) == counts(sup3) == [0, 0, 0, 0]
        for ref in (*fixed, child3, child4):  # a supervisor's children end for good with it
            assert await case.down(ref)

    run(main)


@attrs.frozen
class Fall:
    """Crash, supervisor that you are."""


class Middle(Supervisor):
    """A supervisor that can be killed, which is not really supported, but tried anyway."""

    @handles
    async def fall(self, message: Fall) -> None:
        raise Died


@pytest.mark.parametrize("loss", ["kill_supervisor", "kill_worker", "exit_worker", "restart_worker"])
def test_simple_global_supervisor(loss: str) -> None:
    """Whatever of a tree is lost, its actors are found again under their names."""

    async def main(case: Case) -> None:
        def middle() -> Middle:
            return Middle(case.child("server", shutdown=2.0), strategy="one_for_all", period=60.0)

        def find() -> tuple[SupervisorRef, ActorRef]:
            server = case.system.find("/top/sup2/server")
            assert server is not None
            return as_supervisor(case.system.find("/top/sup2")), server

        spec = ChildSpec("sup2", middle, shutdown=2.0)
        top = await case.supervisor(spec, strategy="one_for_all", intensity=3, period=60.0, name="top")
        sup2, server = find()
        pid = await case.pid(server)
        match loss:
            case "kill_supervisor":
                await case.does(sup2, Fall())
            case "kill_worker":
                await case.does(server, Kill())
            case "exit_worker":
                await case.does(server, Stop())
            case _:
                await sup2.terminate_child("server")
                assert await sup2.restart_child("server") == server
        new_sup2, new_server = find()
        assert await case.pid(new_server) != pid
        assert new_sup2 == sup2
        assert (new_server == server) == (loss != "kill_supervisor")
        assert states(new_sup2) == {"server": "running"}

        await top.stop()
        assert case.system.find("/top/sup2") is None
        assert case.system.find("/top/sup2/server") is None

    run(main)


def test_format_log_1(caplog: pytest.LogCaptureFixture) -> None:
    """The report of a crash: who, and the exception with its traceback."""

    async def main(case: Case) -> None:
        sup = await case.supervisor(name="my_supervisor")
        await case.does(await sup.start_child(case.child("any_id")), Die())

    run(main)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("aip_trio.actors", logging.ERROR)
    assert record.getMessage() == "/my_supervisor/any_id crashed"
    assert record.exc_info is not None
    assert record.exc_info[0] is Died


def test_format_log_2(caplog: pytest.LogCaptureFixture) -> None:
    """The report of a supervisor that gives up: on one line, and whom, when, and why."""

    async def main(case: Case) -> None:
        sup = await case.supervisor(name="my_supervisor", intensity=1, period=60.0)
        child = await sup.start_child(case.child("any_id"))
        for _ in range(2):
            await case.does(child, Die())

    run(main)
    (given_up,) = (r.getMessage() for r in caplog.records if "gave up" in r.getMessage())
    assert given_up == (
        "supervisor /my_supervisor gave up on child 'any_id': more than intensity=1 restarts"
        " within period=60.0 s; last: Died"
    )
