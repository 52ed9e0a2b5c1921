"""The device's decisions, without a service: virtual time, and a list of what it publishes."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from hypothesis import settings

from aip_trio.cli.rpc._acquisition import ACQUISITION_MACHINE, Mode, Switch
from aip_trio.cli.rpc._device import AskedToRaise, TrialDevice
from aip_trio.cli.rpc._machine import Sample
from aip_trio.errors import IllegalTransition
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiEvent,
    ApiTopic,
)
from aip_trio.testing import async_machine_test

FIRST = Sample(
    cpu_percent=1.0,
    load_average=0.5,
    memory_percent=10.0,
    memory_available=900,
    disk_percent=20.0,
    disk_free=800,
    processes=7,
)

SUCCESS, FAILED = ApiCommandRequestResult.SUCCESS, ApiCommandRequestResult.FAILED


@attrs.define
class Published:
    """Takes what the device publishes."""

    events: list[ApiEvent] = attrs.Factory(list[ApiEvent])
    changes: list[Mapping[str, object]] = attrs.Factory(list[Mapping[str, object]])

    def send_event(self, event: ApiEvent) -> bool:
        self.events.append(event)
        return True

    def send_dict(self, topic: ApiTopic, message: Mapping[str, object]) -> bool:
        assert topic == ApiTopic.PROPERTY_CHANGE
        self.changes.append(message)
        return True

    @property
    def kinds(self) -> list[int]:
        return [int(event.kind) for event in self.events]


async def tell(
    device: TrialDevice, command: int, data: object = None, custom: int = -1
) -> ApiCommandRequestResponse:
    return await device.answer(ApiCommandRequest(ApiCommand(command), custom, 1, data))


class Subject:
    """The device as the harness drives it: by commands."""

    def __init__(self) -> None:
        self.published = Published()
        self.device = TrialDevice(self.published, {}, FIRST)

    @property
    def state(self) -> Mode:
        return self.device.mode

    async def fire(self, event: Switch) -> None:
        before = len(self.published.events)
        answer = await tell(self.device, ApiCommand[event.name])
        if answer.result == SUCCESS:
            assert len(self.published.events) > before
            return
        assert (answer.result, answer.error_code) == (FAILED, 1)
        assert len(self.published.events) == before
        legal = tuple(ACQUISITION_MACHINE.table[self.state])
        assert answer.error_message is not None
        assert answer.error_message.endswith(", ".join(switch.value for switch in legal))
        raise IllegalTransition("acquisition", self.state, event, legal)


@asynccontextmanager
async def open_subject() -> AsyncGenerator[Subject]:
    await trio.lowlevel.checkpoint()
    yield Subject()


TestDevice = async_machine_test(ACQUISITION_MACHINE, open_subject, settings=settings(max_examples=30))


@pytest.mark.trio
async def test_configuration_and_status_are_answered_with_data() -> None:
    device = TrialDevice(Published(), {"identifier": "lab"}, FIRST)
    told = await tell(device, ApiCommand.GET_CONFIGURATION)
    assert (told.result, told.data) == (SUCCESS, {"identifier": "lab"})
    status = (await tell(device, ApiCommand.GET_STATUS)).data
    assert isinstance(status, dict)
    assert status["mode"] == "idle"
    assert status["machine"]["processes"] == 7


@pytest.mark.trio
async def test_events_carry_the_time_and_a_number_that_never_falls(autojump_clock: object) -> None:
    published = Published()
    device = TrialDevice(published, {}, FIRST)
    device.launched("1.2")
    await tell(device, ApiCommand.START_ACQUISITION)
    await trio.sleep(2)
    await tell(device, ApiCommand.EMERGENCY_STOP)
    device.terminating("stopped")
    assert published.kinds == [201, 9001, 101, 9002, 202]
    indices = [event.index for event in published.events]
    assert indices == sorted(indices)
    assert 2e9 <= indices[-1] - indices[0] < 2.1e9
    stopped = published.events[3].context
    assert stopped is not None
    assert (stopped["reason"], stopped["seconds"]) == ("emergency", 2.0)


@pytest.mark.trio
async def test_what_changes_is_published_while_it_acquires(autojump_clock: object) -> None:
    samples: Iterator[Sample] = (attrs.evolve(FIRST, processes=8 + number // 2) for number in range(99))
    published = Published()
    device = TrialDevice(published, {}, FIRST)

    async def take() -> Sample:
        await trio.lowlevel.checkpoint()
        return next(samples)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(device.read, 1.0, take)
        await trio.sleep(2.5)
        assert published.changes == []
        await tell(device, ApiCommand.START_ACQUISITION)
        await trio.sleep(1)  # the third sample
        assert {change["name"] for change in published.changes} == set(attrs.asdict(FIRST))
        assert all(change["old_value"] is None for change in published.changes)
        published.changes.clear()
        await trio.sleep(2)
        assert published.changes == [{"target": 1, "name": "processes", "new_value": 10, "old_value": 9}]
        await tell(device, ApiCommand.STOP_ACQUISITION)
        await trio.sleep(3)
        assert len(published.changes) == 1
        nursery.cancel_scope.cancel()
    stopped = published.events[-1].context
    assert stopped is not None
    assert stopped["readings"] == 8


@pytest.mark.trio
async def test_a_command_of_the_users_sleeps_and_gives_back_what_it_was_given(autojump_clock: object) -> None:
    device = TrialDevice(Published(), {}, FIRST)
    began = trio.current_time()
    told = await tell(device, ApiCommand.USER_DEFINED, {"sleep": 30, "x": [1]}, 5)
    assert told.data == {"custom_command": 5, "echo": {"sleep": 30, "x": [1]}}
    assert trio.current_time() - began == pytest.approx(30)
    assert (await tell(device, ApiCommand.USER_DEFINED, "text")).data == {
        "custom_command": -1,
        "echo": "text",
    }


@pytest.mark.trio
@pytest.mark.parametrize("seconds", [-1, 3601, "1", None, True, float("nan"), [1]])
async def test_what_is_no_time_to_sleep_is_refused(seconds: object) -> None:
    device = TrialDevice(Published(), {}, FIRST)
    told = await tell(device, ApiCommand.USER_DEFINED, {"sleep": seconds})
    assert (told.result, told.error_code) == (FAILED, 2)
    assert told.error_message is not None
    assert told.error_message.endswith("is no time: give seconds, from 0 to 3600")


@pytest.mark.trio
async def test_it_fails_and_raises_when_it_is_asked_to() -> None:
    device = TrialDevice(Published(), {}, FIRST)
    told = await tell(device, ApiCommand.USER_DEFINED, {"fail": "no paper"})
    assert (told.result, told.error_code, told.error_message) == (FAILED, 3, "no paper")
    with pytest.raises(AskedToRaise, match="no ink"):
        await tell(device, ApiCommand.USER_DEFINED, {"raise": "no ink"})


@pytest.mark.trio
async def test_a_command_that_it_does_not_know_is_unrecognized() -> None:
    device = TrialDevice(Published(), {}, FIRST)
    assert (await tell(device, ApiCommand.REPLAY)).result == ApiCommandRequestResult.UNRECOGNIZED
