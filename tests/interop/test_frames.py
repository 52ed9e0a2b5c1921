"""Every captured frame of aip.json, and what frames may look like: the connection lives on."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.plain import Frame, Plain, registered
from tests.interop.plain_device import obey
from tests.interop.programs import Site, name

CAPTURED = json.loads((Path(__file__).parents[1] / "wire" / "aip.json").read_text())
VALID = {each["name"]: each for each in CAPTURED["valid"]}

#: What a server answers to each captured frame of a client that is registered; None: nothing.
ANSWERS = {
    "register_device": ("error", "is registered on this connection already"),
    "register_constellation": ("error", "is registered on this connection already"),
    "heartbeat": ("heartbeat", None),
    "task_request": ("task_end", "metadata.commands"),
    "command_results": ("error", "no task of this device waits for results under that id"),
    "task_end_ack": None,
    "device_info_request_from_constellation": ("device_info_response", None),
    "device_info_push": None,
    "client_error": None,
}

#: What a refusal of each captured frame that is none names.
FAULTS = {
    "not json": "JSON",
    "wrong enum": "bogus",
    "missing status": "status",
    "wrong field type": "client_id",
    "bad action": "type",
    "bad tool type": "type",
    "array": "array",
    "null": "null",
    "nul byte": "JSON",
}


def test_the_table_has_every_captured_frame() -> None:
    assert set(ANSWERS) == {each for each, frame in VALID.items() if frame["model"] == "ClientMessage"}
    assert set(FAULTS) == {each["name"] for each in CAPTURED["invalid"]}


@pytest.mark.parametrize("captured", ["register_device", "register_constellation"])
def test_captured_registrations_are_accepted(captured: str, site: Site) -> None:
    with ExitStack() as stack:
        if captured == "register_constellation":
            stack.enter_context(registered(site.url, "windows_agent_001"))
        client = stack.enter_context(Plain.open(site.url))
        client.send(VALID[captured]["json"])
        assert client.expect("heartbeat")["status"] == "ok"


@pytest.mark.parametrize("captured", ANSWERS)
def test_a_captured_frame_has_its_answer(captured: str, site: Site) -> None:
    text = VALID[captured]["json"]
    frame: Frame = json.loads(text)
    with ExitStack() as stack:
        target = frame["target_id"]
        others = [stack.enter_context(registered(site.url, each)) for each in (target,) if each is not None]
        client = stack.enter_context(
            registered(site.url, frame["client_id"], frame["client_type"], target_id=target)
        )
        client.send(text)
        if frame["type"] == "device_info_request":
            for device in others:
                obey(device, device.expect("device_info_request"))
        answer = ANSWERS[captured]
        if answer is not None:
            kind, told = answer
            message = client.expect(kind)
            assert told is None or told in message["error"]
        client.beat()


@pytest.mark.parametrize(
    "captured", [each for each, frame in VALID.items() if frame["model"] != "ClientMessage"]
)
def test_a_captured_frame_of_a_server_s_does_no_harm(captured: str, site: Site) -> None:
    with registered(site.url, name()) as client:
        client.send(VALID[captured]["json"])
        client.say("device_info_request")  # which a device is always refused
        while "is for constellations" not in str((message := client.hear())["error"]):
            assert message["type"] in ("error", "heartbeat")  # a server's heartbeat reads as a client's
        client.beat()


@pytest.mark.parametrize("invalid", CAPTURED["invalid"], ids=lambda each: each["name"])
def test_a_captured_frame_that_is_none_is_a_clear_error(invalid: Frame, site: Site) -> None:
    with registered(site.url, name()) as client:
        client.send(invalid["json"])
        assert FAULTS[invalid["name"]] in client.expect("error")["error"]
        client.beat()


def test_fields_that_are_unknown_or_null_are_as_if_absent(site: Site) -> None:
    with registered(site.url, name()) as client:
        client.say("heartbeat", session_id=None, metadata=None, colour="red", more={"a": [1]})
        client.expect("heartbeat")
        client.send(json.dumps({"type": "heartbeat", "status": "ok"}))
        client.expect("heartbeat")


def test_json_in_a_binary_frame_is_read(site: Site) -> None:
    with registered(site.url, name()) as client:
        client.send(json.dumps({"type": "heartbeat", "status": "ok"}).encode())
        client.expect("heartbeat")


@pytest.mark.parametrize("depth", [200, 100_000])
def test_what_is_nested_too_deep_is_an_error(depth: int, site: Site) -> None:
    with registered(site.url, name()) as client:
        client.send('{"type": "heartbeat", "status": "ok", "metadata": {"a": ' + "[" * depth)
        client.expect("error")
        client.beat()


def test_a_binary_message_that_nobody_wants_is_refused_and_does_no_harm(site: Site) -> None:
    with registered(site.url, name()) as client:
        payload = bytes(range(256))
        client.send(json.dumps({"type": "binary_data", "size": len(payload), "filename": "a.bin"}))
        client.send(payload)
        errors = 0
        client.say("heartbeat")
        while (message := client.hear())["type"] != "heartbeat":
            assert message["type"] == "error"
            assert message["error"]
            errors += 1
        assert errors >= 1
        client.beat()


def test_an_array_is_a_batch_of_messages(site: Site) -> None:
    with registered(site.url, name()) as client:
        beat = {"type": "heartbeat", "status": "ok"}
        client.send(json.dumps([beat, {"type": "bogus"}, beat]))
        kinds = sorted(client.hear()["type"] for _ in range(3))
        assert kinds == ["error", "heartbeat", "heartbeat"]
        client.beat()
