"""What programs and peers did to the endpoints once, and must not again."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trio

from aip_trio.endpoints import Session
from aip_trio.errors import OperationTimeout
from aip_trio.messages import Result, ResultStatus, ServerMessage
from tests.endpoints.crew import Crew, crew
from tests.endpoints.memory import virtual
from tests.endpoints.support import until


def does(it: Crew, step: Callable[[], Sequence[Result]] | None) -> None:
    """Have the device's program do this with every batch of commands; None: what it did before."""
    if step is None:
        delattr(it.worker, "execute_step")
        return

    async def execute_step(message: ServerMessage) -> Sequence[Result]:
        return step()

    setattr(it.worker, "execute_step", execute_step)  # noqa: B010 - of this one object


def fail(error: BaseException) -> Sequence[Result]:
    raise error


class Unspeakable(Exception):
    """One that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@virtual
async def test_no_line_of_a_log_keeps_a_task_from_its_end() -> None:
    async def task(session: Session) -> str:
        line: Any
        for line in ("\udcff.txt", None, 7, "x" * 10**6):
            session.log(line)
        return "done"

    async with crew(task=task) as it:
        ended = await it.task("s1")
    assert (ended.completed, ended.result) == (True, "done")
    assert [line[:9] for line in ended.metadata["log"]] == ["\\udcff.tx", "None", "7", "x" * 9]


@pytest.mark.parametrize(
    "error", [SystemExit(2), BaseExceptionGroup("all", [SystemExit(1)]), Unspeakable()], ids=repr
)
def test_whatever_a_task_function_raises_is_that_tasks_alone(error: BaseException) -> None:
    async def task(session: Session) -> str:
        if session.id == "bad":
            raise error
        return "done"

    @virtual
    async def main() -> None:
        async with crew(task=task) as it:
            bad, good = await it.task("bad"), await it.task("good")
        assert (bad.completed, good.completed) == (False, True)
        assert bad.error is not None
        assert type(error).__name__ in bad.error

    main()


@pytest.mark.parametrize("error", [SystemExit(2), Unspeakable()], ids=repr)
def test_whatever_a_devices_program_raises_is_a_failed_result(error: BaseException) -> None:
    @virtual
    async def main() -> None:
        async with crew() as it:
            does(it, lambda: fail(error))
            bad = await it.task("bad")
            does(it, None)
            good = await it.task("good")
        assert type(error).__name__ in bad.result[0]["error"]
        assert good.completed

    main()


@virtual
async def test_an_end_that_comes_late_is_no_other_tasks_end() -> None:
    slow = trio.Event()

    async def task(session: Session) -> str:
        if session.request == "old":
            await slow.wait()
        return session.request

    async with crew(task=task) as it:
        with pytest.raises(OperationTimeout):
            await it.orch.send_task_to_device("dev-1", {"session_id": "s", "request": "old", "timeout": 1})
        slow.set()
        await until(lambda: not it.server.sessions_of("dev-1"))
        new = await it.orch.send_task_to_device("dev-1", {"session_id": "s", "request": "new"})
        assert new.result == "new"


@virtual
async def test_a_deeply_nested_result_is_a_result() -> None:
    deep: object = "bottom"
    for _ in range(600):
        deep = [deep]
    async with crew() as it:
        does(it, lambda: [Result(status=ResultStatus.SUCCESS, result=deep)])
        ended = await it.task("s1")
        assert ended.completed


@virtual
async def test_a_result_whose_id_cannot_be_sent_fails_alone() -> None:
    async with crew() as it:
        does(it, lambda: [Result(status=ResultStatus.SUCCESS, call_id="\udcff")])
        bad = await it.task("bad")
        does(it, None)
        good = await it.task("good")
    assert "cannot be sent" in bad.result[0]["error"]
    assert good.completed


@virtual
async def test_questions_that_were_answered_leave_nothing_behind() -> None:
    async with crew() as it:
        await it.orch.device_info("dev-1")
        before = trio.lowlevel.current_statistics().tasks_living
        for _ in range(50):
            await it.orch.device_info("dev-1")
        assert trio.lowlevel.current_statistics().tasks_living <= before


@virtual
async def test_a_connection_left_down_is_revived_by_connecting() -> None:
    async with crew() as it:
        with trio.CancelScope() as scope:
            scope.cancel()
            await it.orch.reconnect_device("dev-1")
        await until(lambda: not it.orch.is_device_connected("dev-1"))
        await it.orch.connect_to_device(it.orch.devices["dev-1"])
        await until(lambda: it.orch.is_device_connected("dev-1"))
        assert (await it.task("s1")).completed
