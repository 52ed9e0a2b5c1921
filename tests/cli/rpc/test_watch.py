"""Events as they come, of a service that is there, goes, and comes back."""

import json
import signal
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import zmq

from aip_trio.cli import main
from tests.cli.programs import PATIENCE, running, story_until
from tests.cli.rpc.device import Device, peer_of, serving

START, STOP, EMERGENCY_STOP, EMERGENCY_RESUME, USER_DEFINED = 100, 110, 200, 210, 99999


@pytest.fixture(scope="module")
def device() -> Generator[Device]:
    with serving("--identifier", "lab", "--heartbeat-interval", "0.1", "--replay", "100") as running_device:
        yield running_device


class Watcher:
    """What ``aip-trio rpc watch --json`` has to say."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)

    def until(self, what: str, /, **fields: object) -> list[dict[str, Any]]:
        """What it says as far as an object of this type, with these fields."""
        found: list[dict[str, Any]] = []
        for told in self:
            found.append(told)
            if told["type"] == what and fields.items() <= told.items():
                return found
        raise AssertionError(f"no {what} with {fields} in {found}")


@contextmanager
def watching(device: Device, *options: str) -> Generator[Watcher]:
    """A watcher that hears the service: its heartbeats, where it is asked for those."""
    with running("rpc", "watch", "--json", *options, *device.ports) as process:
        watcher = Watcher(process)
        watcher.until("presence", state="present")
        yield watcher
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, errors) == (130, "")


def test_every_topic_is_shown_with_its_type(device: Device) -> None:
    with watching(device) as watcher, peer_of(device) as peer:
        watcher.until("heartbeat")
        peer.ask(START)
        (*_, started) = watcher.until("event", topic="EVENT", kind=9001)
        assert started["data"]["context"]["name"] == "acquisitionStarted"
        (*_, change) = watcher.until("property_change")
        assert change["topic"] == "PROPERTY_CHANGE"
        peer.ask(EMERGENCY_STOP)
        watcher.until("event", topic="EMERGENCY", kind="emergencyStop")
        watcher.until("event", topic="EVENT", kind="emergencyStop")
        watcher.until("event", topic="EVENT", kind=9002)
        peer.ask(EMERGENCY_RESUME)
        watcher.until("event", kind="emergencyResume")
        peer.ask(USER_DEFINED, data={"sleep": 1})
        (*_, result) = watcher.until("command_result")
        assert (result["data"]["result"], result["data"]["nonce"]) == (100, 7)
        assert result["sequence"] > 0


def test_only_the_topics_that_were_asked_for_are_shown(device: Device) -> None:
    with watching(device, "--topic", "event", "--topic", "6001") as watcher, peer_of(device) as peer:
        peer.ask(START)
        peer.ask(STOP)
        peer.ask(USER_DEFINED, data={"sleep": 1})
        told = watcher.until("command_result")
        assert {each.get("topic") for each in told} <= {"EVENT", "COMMAND_RESULT"}


def test_so_many_events_are_one_line_each_and_then_it_ends(
    device: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rpc", "watch", "--topic", "heartbeat", "--count", "3", *device.ports]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [line[8:] for line in out.splitlines()]
    assert lines[0] == "  presence  the service has not been heard yet"
    assert lines.count("  presence  lab is there") == 1
    assert sum(line.startswith("  HEARTBEAT  lab, version ") for line in lines) == 3
    assert len(lines) == 5


def test_a_service_that_dies_is_missing_then_gone_and_is_back_when_it_is_started_again() -> None:
    options = ("--heartbeat-interval", "0.1", "--replay", "10")
    with serving(*options) as first, watching(first) as watcher:
        for _ in range(4):  # it learns how far they are apart
            watcher.until("heartbeat")
        first.process.kill()
        first.process.wait(PATIENCE)
        watcher.until("presence", state="missing")
        watcher.until("presence", state="gone")
        with serving(*options, *first.ports):
            told = watcher.until("presence", state="present")
            told += watcher.until("heartbeat")  # before which the watcher has seen whose it is
            assert any(each["type"] == "restarted" for each in told)


def test_what_is_no_event_is_shown_as_it_is() -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        port = publisher.bind_to_random_port("tcp://127.0.0.1")
        publisher.setsockopt(zmq.LINGER, 0)
        ports = ("--subscriber-port", str(port), "--command-port", "1")
        with running("rpc", "watch", "--json", "--count", "2", *ports) as process:
            watcher = Watcher(process)
            watcher.until("presence", state="unknown")
            while process.poll() is None:
                publisher.send_multipart([(77).to_bytes(4, "little"), b"\xff\x1b"])
                publisher.send_multipart([b"odd", b"{}"])
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
            told = list(watcher)
    assert process.returncode == 0
    assert {"type": "published", "topic": 77, "data": "\\xff\x1b"} in told


def test_where_nobody_listens_it_says_where_it_looks() -> None:
    with running("rpc", "watch", "--subscriber-port", "1", "--command-port", "2") as process:
        (*_, told) = story_until(process, "waiting for one")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert "no service at tcp://127.0.0.1:1 (events) and tcp://127.0.0.1:2 (commands) yet" in told


@pytest.mark.parametrize("topic", ["dance", "-1", "4294967296"])
def test_what_is_no_topic_is_told(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rpc", "watch", "--topic", topic]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"aip-trio: error: topic={topic!r} ")
