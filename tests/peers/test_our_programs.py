"""``aip-trio rpc`` on one side, and auto-trainer-api on the other."""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Generator
from typing import Any

import pytest

from tests.cli.programs import PATIENCE, PROGRAM, first_line, running
from tests.peers.programs import Peer, PeerService, client, service

MOVED = {"kind": 2001, "when": 1_700_000_000.5, "index": 7, "context": {"device_id": "d1"}}

LISTENING = re.compile(r"listening on (tcp://\S+) \(events\) (tcp://\S+) \(commands\)")


@pytest.fixture(scope="module")
def theirs(peer: Peer) -> Generator[PeerService]:
    with service(peer) as found:
        yield found


def rpc(theirs: PeerService, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """The program, to its end."""
    name, *others = arguments
    return subprocess.run(
        [*PROGRAM, "rpc", name, *others, *theirs.options],
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_send_shows_the_answer(theirs: PeerService) -> None:
    sent = rpc(theirs, "send", "GET_CONFIGURATION", "--json")
    assert sent.returncode == 0, sent.stderr
    answer = json.loads(sent.stdout)
    assert answer["data"] == {"device_id": "000000", "nested_key": {"inner_key": [1, 2]}}


def test_send_says_no_where_the_service_does(theirs: PeerService) -> None:
    sent = rpc(theirs, "send", "EMERGENCY_RESUME", "--json")
    assert sent.returncode == 1, sent.stderr
    assert json.loads(sent.stdout)["error_code"] == 7


def test_send_waits_for_the_end(theirs: PeerService) -> None:
    sent = rpc(theirs, "send", "USER_DEFINED", "--custom", "5", "--wait", "--json")
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["data"] == {"custom_command": 5}


def test_the_console_asks_one_thing_after_another(theirs: PeerService) -> None:
    told = rpc(theirs, "console", given='GET_STATUS {"a": 1}\nGET_CONFIGURATION\nquit\n')
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("SUCCESS") == 2
    assert "000000" in told.stdout


def test_watch_shows_what_is_published(theirs: PeerService) -> None:
    """Published again and again: there is no telling when it is subscribed."""
    over = threading.Event()

    def publish() -> None:
        while not over.wait(0.1):
            theirs.dialogue.publish(MOVED)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        shown = rpc(theirs, "watch", "--topic", "EVENT", "--count", "2", "--json")
    finally:
        over.set()
        thread.join()
    assert shown.returncode == 0, shown.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in shown.stdout.splitlines()]
    events = [line for line in lines if "context" in json.dumps(line)]
    assert len(events) >= 2
    assert "device_id" in json.dumps(events[0])


def test_a_client_of_theirs_drives_our_device(peer: Peer) -> None:
    options = ("--subscriber-port", "0", "--command-port", "0", "--heartbeat-interval", "0.2")
    with running("rpc", "serve", *options) as process:
        urls = LISTENING.fullmatch(first_line(process))
        assert urls is not None
        with client(peer, urls[2], urls[1]) as theirs:
            configuration = json.loads(theirs.ask("ask", {"command": "GET_CONFIGURATION", "nonce": 1}))
            assert (configuration["nonce"], configuration["result"]) == (1, 100)
            assert configuration["data"]
            assert json.loads(theirs.ask("ask", {"command": "GET_STATUS", "nonce": 2}))["result"] == 100
            assert json.loads(theirs.ask("ask", {"command": "EMERGENCY_STOP", "nonce": 3}))["result"] == 100
            topics = [topic for topic, _ in theirs.ask("hear", 2)]
            assert topics == ["d1070000", "a10f0000"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 143
