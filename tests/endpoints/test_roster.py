"""The roster against a model: which devices have a connection, and who waits for what."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aip_trio.endpoints import AgentProfile
from aip_trio.endpoints.connection import ClientLine
from aip_trio.endpoints.constellation._roster import Pending, Roster
from aip_trio.errors import DeviceNotConnected, SessionTaken
from aip_trio.messages import ClientType, DeviceInfo, TaskEnded, TaskStatus

DEVICES = st.sampled_from(["a", "b"])
SESSIONS = st.sampled_from(["1", "2", "3"])
LINES = st.lists(st.text(max_size=2), max_size=3)


def line() -> ClientLine:
    """One that leads nowhere: the roster knows it by its identity."""
    nowhere: Any = object()
    return ClientLine(nowhere, "orch", ClientType.CONSTELLATION)


class RosterModel(RuleBasedStateMachine):
    """Plain dicts beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.roster = Roster()
        for name in "ab":
            self.roster.profiles[name] = AgentProfile(device_id=name, server_url="")
        self.lines: dict[str, ClientLine] = {}
        self.old: list[tuple[str, ClientLine]] = []
        self.tasks: dict[str, Pending] = {}
        self.devices: dict[str, str] = {}
        self.answers: dict[str, object] = {}
        self.logs: dict[str, list[str]] = {}
        self.heard: dict[str, list[str]] = {}
        self.questions: dict[str, Pending] = {}

    @rule(device=DEVICES)
    def up(self, device: str) -> None:
        if device in self.lines:
            self.old.append((device, self.lines[device]))
        self.lines[device] = line()
        self.roster.profiles[device].connection_attempts = 3
        self.roster.up(device, self.lines[device])
        assert self.roster.profiles[device].status == "connected"
        assert self.roster.profiles[device].connection_attempts == 0

    @precondition(lambda self: self.lines)
    @rule(data=st.data())
    def down(self, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from(sorted(self.lines)))
        assert self.roster.down(device, self.lines.pop(device))
        assert self.roster.profiles[device].status == "disconnected"

    @precondition(lambda self: self.old)
    @rule()
    def down_of_an_earlier_line(self) -> None:
        device, earlier = self.old.pop()
        before = self.roster.profiles[device].status
        assert not self.roster.down(device, earlier)
        assert self.roster.profiles[device].status == before

    @rule(device=DEVICES)
    def give_up(self, device: str) -> None:
        self.roster.give_up(device)
        assert self.roster.profiles[device].status == "failed"
        self.roster.give_up("never heard of")

    @rule(device=DEVICES, session=SESSIONS)
    def expect(self, device: str, session: str) -> None:
        if session in self.tasks:
            with pytest.raises(SessionTaken):
                self.roster.expect_task(session, device)
            return
        heard = self.heard[session] = list[str]()
        self.tasks[session] = self.roster.expect_task(session, device, heard.append)
        self.devices[session] = device
        self.logs[session] = []
        assert self.roster.profiles[device].current_task_id == session

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.tasks)))
        self.roster.forget_task(session)
        del self.tasks[session]
        self.answers.pop(session, None)
        assert self.roster.profiles[self.devices[session]].current_task_id != session

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.tasks)))
        end = TaskEnded(session, TaskStatus.COMPLETED, result=object())
        self.tasks[session].settle(end)
        self.answers.setdefault(session, end)

    @rule(device=DEVICES)
    def fail(self, device: str) -> None:
        waiting = [s for s in self.tasks if self.devices[s] == device and s not in self.answers]
        assert self.roster.fail_tasks(device, "why") == waiting
        for session in waiting:
            answer = self.tasks[session].answer
            assert answer == TaskEnded(session, TaskStatus.FAILED, error="why")
            self.answers[session] = answer
        for question in self.questions.values():
            if question.device_id == device:
                assert question.answer is not None

    @rule(device=DEVICES, name=SESSIONS)
    def ask(self, device: str, name: str) -> None:
        if name not in self.questions:
            self.questions[name] = self.roster.expect_answer(name, device)
            assert self.questions[name].answer is None

    @precondition(lambda self: self.questions)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.questions)))
        question = self.questions.pop(name)
        before = question.answer
        info = DeviceInfo(name, result={})
        question.settle(info)
        assert question.answer is (info if before is None else before)
        self.roster.forget_answer(name)

    @rule(session=SESSIONS | st.none(), lines=LINES)
    def progress(self, session: str | None, lines: list[str]) -> None:
        self.roster.log(session, lines, complete=False)
        if session in self.tasks:
            assert session is not None
            self.logs[session] += lines

    @rule(session=SESSIONS, more=LINES)
    def whole_log(self, session: str, more: list[str]) -> None:
        """At the end all lines are told once more, some of which may be new."""
        whole = [*self.logs.get(session, []), *more]
        self.roster.log(session, whole, complete=True)
        if session in self.tasks:
            self.logs[session] = whole

    @invariant()
    def agree(self) -> None:
        assert self.roster.lines == self.lines
        assert self.roster.tasks == self.tasks
        assert self.roster.questions == self.questions
        for session, pending in self.tasks.items():
            assert pending.answer is self.answers.get(session)
            assert pending.log == self.logs[session] == self.heard[session]
        for device in "ab":
            if device in self.lines:
                assert self.roster.line(device) is self.lines[device]
            else:
                with pytest.raises(DeviceNotConnected):
                    self.roster.line(device)


TestRoster = RosterModel.TestCase
