"""wire/aip.md, 2: a connection speaks for who has registered on it, and for nobody else."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.interop.plain import Plain, listed, registered
from tests.interop.programs import Site, name


def refusal(client: Plain) -> str:
    """The one answer to what went no further; the connection lives on."""
    message = client.expect("error")
    assert message["status"] == "error"
    client.beat()
    return str(message["error"])


@pytest.mark.parametrize("kind", ["heartbeat", "task", "command_results", "device_info_response", "error"])
def test_another_client_id_goes_no_further(kind: str, site: Site) -> None:
    with registered(site.url, name()) as client:
        client.say(kind, client_id="somebody-else", session_id="s", request="r")
        assert "'somebody-else' is not the registered" in refusal(client)


def test_another_client_type_goes_no_further(site: Site) -> None:
    with registered(site.url, name()) as device:
        device.say("task", "continue", client_type="constellation", target_id=device.client_id)
        assert "client_type 'constellation' is not the registered 'device'" in refusal(device)


def test_a_second_registration_goes_no_further(site: Site) -> None:
    with registered(site.url, name()) as client:
        client.say("register")
        assert "is registered on this connection already" in refusal(client)


def test_a_device_names_no_other_device(site: Site) -> None:
    with registered(site.url, name()) as one, registered(site.url, name()) as other:
        one.say("task", "continue", request="r", target_id=other.client_id)
        assert "may not name device" in refusal(one)
        other.beat()


def test_a_constellation_keeps_to_the_device_it_registered_for(site: Site) -> None:
    with registered(site.url, name()) as one, registered(site.url, name()) as other:
        with registered(site.url, name("o"), "constellation", target_id=one.client_id) as client:
            for kind in ("task", "device_info_request"):
                client.say(kind, request="r", request_id="q", target_id=other.client_id)
                assert "is not the registered" in refusal(client)
        other.beat()


@contextmanager
def task(site: Site) -> Generator[tuple[Plain, Plain, Plain, str, str]]:
    """A task that runs: its device, who asked for it, a stranger, its session, and its open turn."""
    with registered(site.url, name()) as device, registered(site.url, name("stranger")) as stranger:
        with registered(site.url, name("o"), "constellation", target_id=device.client_id) as asker:
            session = name("session")
            metadata = listed(("echo", {}))
            asker.say("task", "continue", session_id=session, request="r", metadata=metadata)
            turn = device.expect("command")["response_id"]
            yield device, asker, stranger, session, turn
            result = {"status": "success", "result": "true"}
            device.say(
                "command_results",
                "continue",
                session_id=session,
                prev_response_id=turn,
                action_results=[result],
            )
            end = asker.expect("task_end")
            assert (end["status"], end["result"][0]["result"]) == ("completed", "true")
            assert device.expect("task_end")["status"] == "completed"


def test_results_count_from_the_task_s_device_alone(site: Site) -> None:
    with task(site) as (_, asker, stranger, session, turn):
        forged = {"status": "success", "result": "forged"}
        for other in (stranger, asker):
            other.say(
                "command_results",
                "continue",
                session_id=session,
                prev_response_id=turn,
                action_results=[forged],
            )
            refusal(other)


def test_a_task_end_counts_from_the_task_s_device_alone(site: Site) -> None:
    with task(site) as (_, asker, stranger, session, _turn):
        asker.say("task_end", "completed", session_id=session)
        refusal(asker)
        stranger.say("task_end", "completed", session_id=session)
        stranger.beat()
        asker.beat()  # and it has not ended


def test_a_session_that_runs_cannot_be_taken_over(site: Site) -> None:
    with task(site) as (_, asker, stranger, session, _turn):
        metadata = listed(("echo", {}))
        stranger.say("task", "continue", session_id=session, request="r", metadata=metadata)
        end = stranger.expect("task_end")
        assert end["status"] == "failed"
        assert "is running" in end["error"]
        asker.beat()
