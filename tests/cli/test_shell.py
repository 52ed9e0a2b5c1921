import logging
import signal
import threading

import attrs
import pytest
import trio

from aip_trio.actors import Actor, ActorSystem, Request, StopReason, handles
from aip_trio.cli._errors import Interrupted, OutputClosed
from aip_trio.cli._failures import leaves
from aip_trio.cli._logs import Log
from aip_trio.cli._output import Output
from aip_trio.cli._settings import Settings
from aip_trio.cli._shell import Shell
from aip_trio.errors import RestartIntensityExceeded
from tests.cli.test_output import closed_pipe


@attrs.frozen
class Work(Request[None]):
    pass


class Slow(Actor):
    """Works until it is cancelled, and tells what becomes of it."""

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary
        self.busy = trio.Event()

    @handles
    async def work(self, message: Work) -> None:
        self.diary.append("working")
        try:
            await trio.sleep_forever()
        finally:
            self.diary.append("cancelled")

    async def stopping(self, reason: StopReason | BaseException) -> None:
        self.diary.append("stopping")


@pytest.fixture
def shell() -> Shell:
    return Shell(Settings(), Output(Settings()), Log(logging.WARNING))


def test_the_command_runs_inside_of_a_system_and_its_result_is_returned(shell: Shell) -> None:
    async def command(system: ActorSystem) -> int:
        await trio.lowlevel.checkpoint()
        return len(system.tree().children)

    assert shell.run(command) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_the_tree_in_order(shell: Shell, number: signal.Signals) -> None:
    diary: list[str] = []

    class Named(Actor):
        def __init__(self, name: str) -> None:
            self.name = name

        async def stopping(self, reason: StopReason | BaseException) -> None:
            diary.append(f"{self.name} {reason}")

    async def command(system: ActorSystem) -> None:
        try:
            await system.spawn(Named, "first")
            await system.spawn(Named, "second")
            signal.raise_signal(number)
            await trio.sleep_forever()
        finally:
            diary.append("command")

    with pytest.raises(Interrupted) as raised:
        shell.run(command)
    assert raised.value.signal is number
    assert diary == ["command", f"second {StopReason.SHUTDOWN}", f"first {StopReason.SHUTDOWN}"]


def test_the_second_signal_hurries(shell: Shell) -> None:
    diary: list[str] = []

    async def command(system: ActorSystem) -> None:
        slow = await system.spawn(Slow, diary, shutdown="infinity")
        await slow.tell(Work())
        await trio.testing.wait_all_tasks_blocked()

        async def signals() -> None:
            """The second one comes when the first one has cancelled the command."""
            with trio.CancelScope(shield=True):
                signal.raise_signal(signal.SIGINT)
                await trio.testing.wait_all_tasks_blocked()
                diary.append("still working")
                signal.raise_signal(signal.SIGTERM)

        await signals()
        await trio.sleep_forever()

    with pytest.raises(Interrupted) as raised:
        shell.run(command)
    assert raised.value.signal is signal.SIGINT
    assert diary == ["working", "still working", "cancelled", "stopping"]


def test_a_signal_after_the_command_has_ended_does_not_take_its_result(shell: Shell) -> None:
    class Late(Actor):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            signal.raise_signal(signal.SIGINT)
            await trio.testing.wait_all_tasks_blocked()

    async def command(system: ActorSystem) -> str:
        await system.spawn(Late)
        return "done"

    assert shell.run(command) == "done"


def test_signals_are_left_as_they_were(shell: Shell) -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def command(system: ActorSystem) -> None:
        await trio.lowlevel.checkpoint()
        assert signal.getsignal(signal.SIGTERM) is not before

    shell.run(command)
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_the_command_raises_comes_out(shell: Shell) -> None:
    async def command(system: ActorSystem) -> None:
        await trio.lowlevel.checkpoint()
        raise KeyError("x")

    with pytest.raises(ExceptionGroup) as raised:
        shell.run(command)
    assert [repr(leaf) for leaf in leaves(raised.value)] == ["KeyError('x')"]


def test_a_failure_of_the_tree_ends_the_command(shell: Shell) -> None:
    class Broken(Actor):
        async def started(self) -> None:
            self.nursery.start_soon(self.fail)

        async def fail(self) -> None:
            await trio.lowlevel.checkpoint()
            raise KeyError("x")

    async def command(system: ActorSystem) -> None:
        await system.spawn(Broken)
        await trio.sleep_forever()

    with pytest.raises(ExceptionGroup) as raised:
        shell.run(command, intensity=0)
    assert [type(leaf) for leaf in leaves(raised.value)] == [RestartIntensityExceeded]


def test_a_reader_that_has_gone_ends_the_command() -> None:
    async def command(system: ActorSystem) -> None:
        output.line("x")
        await trio.sleep_forever()

    with closed_pipe() as stream:
        output = Output(Settings(), stream)
        with pytest.raises(OutputClosed):
            Shell(Settings(), output, Log(logging.WARNING)).run(command)


def test_outside_of_the_main_thread_it_runs_without_signals(shell: Shell) -> None:
    async def command(system: ActorSystem) -> None:
        await trio.lowlevel.checkpoint()
        results.append("ran")

    results: list[str] = []
    thread = threading.Thread(target=lambda: shell.run(command))
    thread.start()
    thread.join()
    assert results == ["ran"]
