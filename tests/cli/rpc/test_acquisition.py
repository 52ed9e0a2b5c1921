from aip_trio.cli.rpc._acquisition import ACQUISITION_MACHINE, Acquisition, Mode, Switch
from aip_trio.errors import IllegalTransition
from aip_trio.testing import machine_test


class Subject:
    """The acquisition, as the harness drives it."""

    def __init__(self) -> None:
        self._acquisition = Acquisition()

    @property
    def state(self) -> Mode:
        return self._acquisition.mode

    def fire(self, event: Switch) -> None:
        before = self._acquisition.status(1.0)
        try:
            self._acquisition.switch(event, 1.0)
        except IllegalTransition:
            assert self._acquisition.status(1.0) == before
            raise


TestAcquisition = machine_test(ACQUISITION_MACHINE, Subject)


def kinds_of(acquisition: Acquisition, switch: Switch, now: float = 0.0) -> list[int]:
    return [happening.kind for happening in acquisition.switch(switch, now)]


def test_each_change_has_its_events_and_an_emergency_comes_first() -> None:
    device = Acquisition()
    assert kinds_of(device, Switch.START_ACQUISITION) == [9001]
    assert kinds_of(device, Switch.STOP_ACQUISITION) == [9002]
    assert kinds_of(device, Switch.START_ACQUISITION) == [9001]
    assert kinds_of(device, Switch.EMERGENCY_STOP) == [101, 9002]
    assert kinds_of(device, Switch.EMERGENCY_STOP) == [101]
    assert kinds_of(device, Switch.EMERGENCY_RESUME) == [102]
    assert kinds_of(device, Switch.EMERGENCY_STOP) == [101]


def test_an_acquisition_is_counted_from_its_start_to_its_end() -> None:
    device = Acquisition()
    assert device.status(5.0)["acquisition"] is None
    device.switch(Switch.START_ACQUISITION, 10.0)
    device.count(3)
    assert device.status(12.5)["acquisition"] == {"number": 1, "seconds": 2.5, "readings": 3}
    (stopped,) = device.switch(Switch.STOP_ACQUISITION, 14.0)
    account = {"number": 1, "seconds": 4.0, "readings": 3}
    assert stopped.context == {"name": "acquisitionStopped", **account, "reason": "command"}
    assert device.status(99.0)["acquisition"] == account
    device.switch(Switch.START_ACQUISITION, 100.0)
    assert device.status(100.0)["acquisition"] == {"number": 2, "seconds": 0.0, "readings": 0}
    _, stopped = device.switch(Switch.EMERGENCY_STOP, 101.0)
    assert stopped.context["reason"] == "emergency"


def test_the_status_says_what_may_be_commanded() -> None:
    device = Acquisition()
    assert device.status(0.0)["may"] == ["START_ACQUISITION", "EMERGENCY_STOP"]
    device.switch(Switch.EMERGENCY_STOP, 0.0)
    assert device.status(0.0)["mode"] == "emergency"
    assert device.status(0.0)["may"] == ["EMERGENCY_STOP", "EMERGENCY_RESUME"]
