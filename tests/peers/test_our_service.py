"""Clients of auto-trainer-api's, and our service: every frame that was captured, and the rest of the wire."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers.programs import Dialogue, Peer, client, our_service

CAPTURED = json.loads((Path(__file__).parents[1] / "wire" / "rpc.json").read_text())

EMERGENCY, EVENT = "d1070000", "a10f0000"

#: What was published when the frames were captured, as a program has it.
EVENTS: list[dict[str, Any]] = [
    {
        "kind": 301,
        "when": 1_700_000_000.5,
        "index": 123_456_789,
        "context": {"training_plan_id": "some_value", "k": 1},
    },
    {"kind": 101, "when": 1_700_000_000.5, "index": 5, "context": {"reason": "door_open"}},
]


@contextmanager
def talking(peer: Peer, **options: object) -> Generator[tuple[Dialogue, Dialogue]]:
    """Our service, and the peer's client of it."""
    with (
        our_service(heartbeat_interval=0.2, **options) as (service, commands_url, events_url),
        client(peer, commands_url, events_url) as theirs,
    ):
        yield service, theirs


@pytest.fixture(scope="module")
def both(peer: Peer) -> Generator[tuple[Dialogue, Dialogue]]:
    with talking(peer) as found:
        yield found


@pytest.mark.parametrize("captured", CAPTURED["commands"], ids=lambda each: each["request"])
def test_a_captured_command_has_its_captured_reply(both: tuple[Dialogue, Dialogue], captured: Any) -> None:
    _, theirs = both
    assert json.loads(theirs.ask("send", captured["request"])) == json.loads(captured["reply"])


def test_a_captured_event_is_published_as_it_was(both: tuple[Dialogue, Dialogue]) -> None:
    service, theirs = both
    for event in EVENTS:
        service.publish(event)
    _, *captured = CAPTURED["published"]
    heard = [(topic, json.loads(payload)) for topic, payload in theirs.ask("hear", len(captured))]
    assert heard == [(each["topic_hex"], json.loads(each["payload"])) for each in captured]


def test_a_heartbeat_has_the_fields_of_the_captured_one(both: tuple[Dialogue, Dialogue]) -> None:
    _, theirs = both
    captured = CAPTURED["published"][0]
    topic, payload = theirs.ask("beat")
    assert topic == captured["topic_hex"]
    beat, theirs_then = json.loads(payload), json.loads(captured["payload"])
    assert list(beat) == list(theirs_then)
    assert [type(value) for value in beat.values()] == [type(value) for value in theirs_then.values()]
    assert beat["identifier"] == theirs_then["identifier"]


@pytest.mark.parametrize("name", ["GET_STATUS", "GET_CONFIGURATION", "EMERGENCY_RESUME", "USER_DEFINED"])
def test_commands_by_the_peer_s_names_are_answered(both: tuple[Dialogue, Dialogue], name: str) -> None:
    _, theirs = both
    reply = json.loads(theirs.ask("ask", {"command": name, "nonce": 11}))
    assert reply["nonce"] == 11
    assert reply["result"] != 0


def test_a_command_that_only_the_peer_knows_is_user_defined(both: tuple[Dialogue, Dialogue]) -> None:
    _, theirs = both
    reply = json.loads(theirs.ask("ask", {"command": 1030, "nonce": 12, "data": {"enabled": True}}))
    assert (reply["nonce"], reply["command"], reply["result"]) == (12, 99999, 201)


def test_a_client_that_asks_for_nothing_sensible_is_answered_and_served_on(
    both: tuple[Dialogue, Dialogue],
) -> None:
    _, theirs = both
    for text in (
        "",
        "[]",
        "null",
        '{"command": true}',
        '{"command": "x"}',
        "[" * 100_000,
        '{"command": 1.5}',
    ):
        assert json.loads(theirs.ask("send", text))["result"] == 0, text
    assert json.loads(theirs.ask("ask", {"command": 400, "nonce": 13}))["nonce"] == 13


def test_what_is_published_for_replay_has_two_more_keys_and_no_other_change(peer: Peer) -> None:
    with talking(peer, replay=10) as (service, theirs):
        service.publish(EVENTS[0])
        ((topic, payload),) = theirs.ask("hear", 1)
        event = json.loads(payload)
        assert topic == EVENT
        assert event.pop("sequence") == 1
        assert event.pop("stream")
        assert event == json.loads(CAPTURED["published"][1]["payload"])


def test_the_older_dialect_is_a_string_of_json_that_holds_json(peer: Peer) -> None:
    with talking(peer, dialect="0.9") as (service, theirs):
        for event in EVENTS:
            service.publish(event)
        heard = theirs.ask("hear", 3)
        assert [topic for topic, _ in heard] == [EVENT, EMERGENCY, EVENT]
        captured = [json.loads(each["payload"]) for each in CAPTURED["published"][1:]]
        assert [json.loads(json.loads(payload)) for _, payload in heard] == captured
        beat = json.loads(json.loads(theirs.ask("beat")[1]))
        assert beat["identifier"] == "autotrainer-device"
