"""wire/aip.md, 1: who is let in, and who is not."""

import json
import os
import signal

import pytest

from tests.cli.programs import PATIENCE
from tests.interop.plain import Plain, registered
from tests.interop.programs import Site, first_line, name, plain, running


@pytest.mark.parametrize("client_type", ["device", "constellation"])
def test_a_registration_is_accepted_with_a_heartbeat(client_type: str, site: Site) -> None:
    with registered(site.url, name(), client_type, metadata={"platform": "plain"}) as client:
        client.beat()


def test_a_client_type_that_is_not_said_is_a_device(site: Site) -> None:
    with Plain.open(site.url) as client:
        client.send(json.dumps({"type": "register", "status": "ok", "client_id": name()}))
        assert client.hear()["type"] == "heartbeat"


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ('{"type": "heartbeat", "status": "ok", "client_id": "x"}', "has to be a register"),
        ('{"type": "task", "status": "continue", "client_id": "x"}', "has to be a register"),
        ('{"type": "bogus", "status": "ok"}', "type"),
        ('{"type": "register", "client_id": "x"}', "status"),
        ('{"type": "register", "status": "ok", "client_id": 7}', "client_id"),
        ('{"type": "register", "status": "ok"}', "client_id is missing"),
        ('{"type": "register", "status": "ok", "client_id": null}', "client_id is missing"),
        ('{"type": "register", "status": "ok", "client_id": ""}', "client_id is missing"),
        ('{"type": "register", "status": "ok", "client_id": "../x"}', "leave it out"),
        ('{"type": "register", "status": "ok", "client_id": "x", "target_id": "y"}', "may not name device"),
        (
            '{"type":"register","status":"ok","client_type":"constellation","client_id":"x","target_id":"y"}',
            "'y' is not connected",
        ),
        ("{", "has to be a register"),
        ("", "has to be a register"),
        (b"\xff\xfe", "has to be a register"),
    ],
)
def test_a_refusal_says_why_and_closes(frame: str | bytes, told: str, site: Site) -> None:
    with Plain.open(site.url) as client:
        client.send(frame)
        assert told in client.refused()


def test_an_id_whose_owner_answers_a_ping_is_taken(site: Site) -> None:
    client_id = name()
    with registered(site.url, client_id) as owner:
        with Plain.open(site.url, client_id) as newcomer:
            newcomer.say("register")
            assert "is connected already" in newcomer.refused()
        owner.beat()


def test_a_ghost_that_does_not_answer_is_replaced(site: Site) -> None:
    client_id = name()
    with running(*plain("plain_device", site.quick_url, client_id)) as ghost:
        assert json.loads(first_line(ghost))["type"] == "heartbeat"
        os.kill(ghost.pid, signal.SIGSTOP)
        with registered(site.quick_url, client_id) as newcomer:
            os.kill(ghost.pid, signal.SIGCONT)
            ghost.wait(timeout=PATIENCE)  # it sees that its connection has ended
            newcomer.beat()


def test_an_id_is_free_when_its_owner_has_gone(site: Site) -> None:
    client_id = name()
    for _ in range(3):
        with registered(site.url, client_id) as client:
            client.beat()


def test_a_constellation_needs_its_device(site: Site) -> None:
    with registered(site.url, name()) as device:
        with registered(
            site.url, name("orchestrator"), "constellation", target_id=device.client_id
        ) as client:
            client.beat()


def test_who_says_nothing_in_time_is_sent_away(site: Site) -> None:
    with Plain.open(site.quick_url) as client:
        assert "no frame within 0.5 s" in client.refused()
