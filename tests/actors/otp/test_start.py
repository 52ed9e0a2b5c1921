"""Group sup_start: how a supervisor and its children start, and fail to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from aip_trio.actors import ChildSpec, ChildState, Ignore, Supervisor
from aip_trio.errors import ChildNotFound, InvalidSpec, NameTaken, StartFailed
from tests.actors.otp._case import Case, as_supervisor, counts, run, states
from tests.actors.otp._children import Die, Died, Flaky, Ignoring, OnceOnly, Switch, Worker


class Init(Supervisor):
    """A supervisor whose children() is given as a function: OTP's init callback."""

    def __init__(self, outcome: Any) -> None:
        super().__init__()
        self._outcome = outcome

    def children(self) -> Iterable[ChildSpec]:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        specs: Iterable[ChildSpec] = self._outcome
        return specs


def test_sup_start_normal() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        assert counts(sup) == [0, 0, 0, 0]
        await sup.stop()
        assert await case.down(sup)
        assert case.crash(sup) is None

    run(main)


def test_sup_start_ignore_init() -> None:
    async def main(case: Case) -> None:
        ref = await case.system.spawn(Init, Ignore(), name="sup")
        assert await case.down(ref)
        assert case.system.find("/sup") is None
        assert case.events == []

    run(main)


def test_sup_start_ignore_child() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        ignored = await sup.start_child(case.child("child1", Ignoring))
        running = await sup.start_child(case.child("child2"))
        assert await case.down(ignored)
        assert await case.pid(running)
        assert states(sup) == {"child1": "idle", "child2": "running"}
        assert counts(sup) == [2, 1, 0, 2]

    run(main)


def test_sup_start_ignore_temporary_child() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(
            case.child("child1", Ignoring, restart="temporary"), case.child("child2", restart="temporary")
        )
        assert states(sup) == {"child2": "running"}
        assert counts(sup) == [1, 1, 0, 1]

    run(main)


def test_sup_start_ignore_temporary_child_start_child() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        ignored = await sup.start_child(case.child("child1", Ignoring, restart="temporary"))
        await sup.start_child(case.child("child2", restart="temporary"))
        assert await case.down(ignored)
        assert states(sup) == {"child2": "running"}
        assert counts(sup) == [1, 1, 0, 1]

    run(main)


def test_sup_start_ignore_temporary_child_start_child_simple() -> None:
    async def main(case: Case) -> None:
        template = case.child("child", Ignoring, restart="temporary")
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        ignored = await sup.start_child_with(True)
        running = await sup.start_child_with(False)
        assert await case.down(ignored)
        assert [child.ref for child in sup.which_children()] == [running]
        assert counts(sup) == [1, 1, 0, 1]

    run(main)


def test_sup_start_ignore_permanent_child_start_child_simple() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(case.child("child", Ignoring), strategy="simple_one_for_one")
        ignored = await sup.start_child_with(True)
        running = await sup.start_child_with(False)
        assert await case.down(ignored)
        assert [child.ref for child in sup.which_children()] == [running]
        assert counts(sup) == [1, 1, 0, 1]
        await sup.stop()
        assert case.journal.read() == [f"+{running.name}", f"-{running.name} shutdown"]
        await case.settle()
        assert case.crash(sup) is None

    run(main)


def test_sup_start_error_return() -> None:
    async def main(case: Case) -> None:
        with pytest.raises(InvalidSpec) as refused:
            await case.system.spawn(Init, ["invalid"], name="sup")
        assert (refused.value.field, refused.value.value) == ("child", "invalid")
        with pytest.raises(StartFailed) as failed:
            await case.system.spawn(Init, None, name="sup")
        assert isinstance(failed.value.cause, TypeError)
        assert case.system.find("/sup") is None

    run(main)


def test_sup_start_fail() -> None:
    async def main(case: Case) -> None:
        with pytest.raises(StartFailed) as failed:
            await case.system.spawn(Init, Died("in init"), name="sup")
        assert failed.value.child == "/sup"
        assert isinstance(failed.value.cause, Died)
        assert case.system.find("/sup") is None

    run(main)


def test_sup_start_child_returns_error() -> None:
    def constructor_fails() -> Worker:
        raise Died

    async def main(case: Case) -> None:
        sup = await case.supervisor()
        for spec in (
            case.child("child1", Flaky, Switch(failing=True)),
            ChildSpec("child2", constructor_fails),
        ):
            with pytest.raises(StartFailed) as failed:
                await sup.start_child(spec)
            assert failed.value.child == f"/sup/{spec.name}"
            assert isinstance(failed.value.cause, Died)
            with pytest.raises(ChildNotFound):
                sup.child_spec(spec.name)
        assert sup.which_children() == ()
        assert not await case.down(sup)

    run(main)


def test_sup_start_restart_child_returns_error() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(case.child("child1", OnceOnly, Switch()))
        await sup.terminate_child("child1")
        with pytest.raises(StartFailed) as failed:
            await sup.restart_child("child1")
        assert isinstance(failed.value.cause, Died)
        assert states(sup) == {"child1": "idle"}
        assert not await case.down(sup)

    run(main)


def test_sup_start_child_returns_error_simple() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(case.child("child", Flaky), strategy="simple_one_for_one")
        with pytest.raises(StartFailed) as failed:
            await sup.start_child_with(Switch(failing=True))
        assert isinstance(failed.value.cause, Died)
        assert sup.which_children() == ()
        assert counts(sup) == [0, 0, 0, 0]

    run(main)


def test_sup_start_map() -> None:
    async def main(case: Case) -> None:
        child1 = case.child("child1")
        child2 = case.child("child2", shutdown="brutal")
        child3 = ChildSpec("child3", case.factory())
        sup = await case.supervisor(child1, child2, child3)
        told = sup.child_spec("child1")
        assert told == child1
        assert (told.restart.value, told.shutdown, told.significant) == ("permanent", None, False)
        assert sup.child_spec("child2").shutdown == "brutal"
        assert sup.child_spec("child3") == child3
        assert [child.kind for child in sup.which_children()] == ["worker", "worker", "supervisor"]
        # no time given: 5 s for a worker, for ever for a supervisor
        assert (Worker.default_shutdown, Supervisor.default_shutdown) == (5.0, float("inf"))
        with pytest.raises(ChildNotFound) as refused:
            sup.child_spec("child4")
        assert (refused.value.supervisor, refused.value.name) == ("/sup", "child4")

    run(main)


def test_sup_start_map_simple() -> None:
    async def main(case: Case) -> None:
        template = case.child("child", restart="temporary")
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        for ref in [await sup.start_child_with() for _ in range(3)]:
            assert sup.child_spec(ref) == template.another(ref.name)
        stranger = await case.system.spawn(Worker, case.journal, name="stranger")
        with pytest.raises(ChildNotFound):
            sup.child_spec(stranger)
        with pytest.raises(ChildNotFound):
            sup.child_spec(sup)

    run(main)


def test_sup_start_map_faulty_specs() -> None:
    spec: Any = ChildSpec
    with pytest.raises(TypeError, match="name"):
        spec(factory=Worker)
    with pytest.raises(TypeError, match="factory"):
        spec("child2")
    # OTP ignores what it does not know; here a misspelt option is refused
    with pytest.raises(InvalidSpec) as refused:
        spec("child3", Worker, silly_flag=True)
    assert refused.value.field == "silly_flag"

    async def main(case: Case) -> None:
        bad: Any = "child4"
        with pytest.raises(InvalidSpec) as refused:
            await case.supervisor(case.child("child"), bad)
        assert (refused.value.field, refused.value.value) == ("child", "child4")
        assert case.journal.read() == []  # nothing was started
        assert case.system.find("/sup") is None

    run(main)


def test_faulty_application_shutdown() -> None:
    async def main(case: Case) -> None:
        bad = case.child("server", Flaky, Switch(failing=True))
        inner = ChildSpec("app", case.factory(case.child("first"), bad))
        with pytest.raises(StartFailed) as failed:
            await case.supervisor(case.child("before"), inner)
        faults: list[str] = []
        error: BaseException = failed.value
        while isinstance(error, StartFailed):
            faults.append(error.child)
            error = error.cause
        assert faults == ["/sup", "/sup/app", "/sup/app/server"]
        assert isinstance(error, Died)
        assert case.journal.read() == ["+before", "+first", "-first shutdown", "-before shutdown"]
        assert case.system.find("/sup") is None

    run(main)


def test_already_started_outside_supervisor() -> None:
    class Registering(Worker):
        """Starts another actor, under a name of its own choice."""

        async def started(self) -> None:
            await self.system.spawn(Worker, self.journal, name="registered")

    async def main(case: Case) -> None:
        outside = await case.system.spawn(Worker, case.journal, name="registered")
        sup = await case.supervisor()
        with pytest.raises(StartFailed, match="registered") as failed:
            await sup.start_child(case.child("child", Registering, restart="transient"))
        assert isinstance(failed.value.cause, NameTaken)
        assert sup.which_children() == ()
        assert case.system.find("/registered") == outside
        assert await case.pid(outside)
        await sup.stop()

    run(main)


def test_order_of_children() -> None:
    names = ["ch7", "ch3", "ch10", "ch2", "ch5"]

    async def main(case: Case) -> None:
        sup = await case.supervisor(*map(case.child, names), strategy="rest_for_one")
        assert case.journal.read() == [f"+{name}" for name in names]
        refs = {child.name: child.ref for child in sup.which_children()}
        assert list(refs) == names
        first = {name: await case.pid(refs[name]) for name in names}

        await case.does(refs["ch10"], Die())
        assert case.journal.read() == [
            "-ch10 died", "-ch5 shutdown", "-ch2 shutdown", "+ch10", "+ch2", "+ch5",
        ]  # fmt: skip
        again = {name: await case.pid(refs[name]) for name in names}
        assert [name for name in names if again[name] == first[name]] == ["ch7", "ch3"]
        assert list(states(sup)) == names

        await sup.stop()
        assert case.journal.read() == [f"-{name} shutdown" for name in reversed(names)]

    run(main)


def test_get_callback_module() -> None:
    class Fleet(Supervisor):
        """A supervisor of its own class, as a callback module is in OTP."""

    async def main(case: Case) -> None:
        await case.system.spawn(Fleet, name="fleet")
        (node,) = case.system.tree().children
        assert (node.path, node.kind) == ("/fleet", "Fleet")
        assert as_supervisor(case.system.find("/fleet")).which_children() == ()
        assert {state.value for state in ChildState} >= {node.state}

    run(main)
