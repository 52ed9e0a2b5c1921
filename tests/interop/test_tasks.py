"""wire/aip.md, 4, 5 and 7: tasks, asked for and offered, and what ends them."""

import json
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.programs import PATIENCE
from tests.interop.plain import Frame, Plain, listed, registered
from tests.interop.plain_device import obey
from tests.interop.plain_orchestrator import ask
from tests.interop.programs import Site, first_line, name, serving


@contextmanager
def pair(url: str) -> Generator[tuple[Plain, Plain]]:
    """A device, and who may ask for tasks of it."""
    with registered(url, name()) as device:
        with registered(url, name("o"), "constellation", target_id=device.client_id) as asker:
            yield device, asker


def test_a_task_takes_a_turn_for_each_command(site: Site) -> None:
    with pair(site.url) as (device, asker):
        metadata = listed(*(("echo", {"number": number}) for number in range(5)))
        session = name("session")
        asker.say(
            "task",
            "continue",
            session_id=session,
            request_id="q1",
            target_id=device.client_id,
            task_name="count",
            request="Count",
            metadata=metadata,
        )
        turns: list[str] = []
        for number in range(5):
            message = device.expect("command")
            (action,) = message["actions"]
            assert message["status"] == "continue"
            assert (message["session_id"], message["task_name"]) == (session, "count")
            assert (action["tool_name"], action["parameters"]) == ("echo", {"number": number})
            assert (action["tool_type"], bool(action["call_id"])) == ("action", True)
            turns.append(message["response_id"])
            if number == 2:
                device.silent()  # the next command waits for this one's result
            obey(device, message)
        assert len(set(turns)) == 5
        end = asker.expect("task_end")
        assert (end["status"], end["session_id"], end["error"]) == ("completed", session, None)
        assert (end["response_id"], end["task_name"]) == ("q1", "count")
        assert [each["result"] for each in end["result"]] == [{"number": number} for number in range(5)]
        told = device.expect("task_end")
        assert (told["status"], told["session_id"]) == ("completed", session)
        obey(device, told)  # it acknowledges
        device.beat()
        asker.beat()


def test_a_command_that_fails_fails_its_task_when_all_are_done(site: Site) -> None:
    with pair(site.url) as (device, asker):
        metadata = listed(("fail", {"why": "no light"}), ("echo", {}))
        asker.say("task", "continue", session_id="s", request="r", metadata=metadata)
        for _ in range(2):
            obey(device, device.expect("command"))
        end = asker.expect("task_end")
        assert (end["status"], end["error"]) == ("failed", "1 of 2 commands failed")
        assert [each["status"] for each in end["result"]] == ["failure", "success"]
        assert end["result"][0]["error"] == "RuntimeError: no light"


def test_the_server_makes_a_session_id_where_none_is_given(site: Site) -> None:
    with pair(site.url) as (device, asker):
        asker.say("task", "continue", request="r", metadata=listed(("echo", {})))
        message = device.expect("command")
        assert message["session_id"]
        obey(device, message)
        assert asker.expect("task_end")["session_id"] == message["session_id"]


def test_a_device_asks_for_itself(site: Site) -> None:
    with registered(site.url, name()) as device:
        device.say("task", "continue", session_id="own", request="r", metadata=listed(("echo", {"a": 1})))
        obey(device, device.expect("command"))
        end = device.expect("task_end")  # once, though it is both ends
        assert (end["status"], end["session_id"]) == ("completed", "own")
        device.beat()


def test_a_device_may_ask_for_what_it_is_offered(site: Site) -> None:
    with registered(site.quick_url, name()) as device:
        site.offer(device.client_id, "Look around", "look")
        offer = device.expect("task")
        assert (offer["user_request"], offer["task_name"]) == ("Look around", "look")
        obey(device, offer)  # asks for it, as a task of its own
        command = device.expect("command")
        assert command["actions"][0]["parameters"] == {"of": "Look around"}
        assert command["task_name"] == "look"
        obey(device, command)
        assert device.expect("task_end")["status"] == "completed"


def test_a_device_may_end_a_task(site: Site) -> None:
    with pair(site.url) as (device, asker):
        for status, error in (("failed", "out of paper"), ("completed", None)):
            asker.say("task", "continue", session_id="s", request="r", metadata=listed(("echo", {})))
            device.expect("command")
            device.say("task_end", status, session_id="s", error=error)
            end = asker.expect("task_end")
            assert (end["status"], end["error"]) == (status, error)
            assert device.expect("task_end")["status"] == status


@pytest.mark.parametrize("metadata", [None, {}, {"commands": []}, {"commands": [{"tool": "echo"}]}])
def test_a_task_without_commands_fails_and_says_what_to_give(metadata: Frame | None, site: Site) -> None:
    with pair(site.url) as (device, asker):
        end = ask(asker, device.client_id, {"request": "r", "metadata": metadata})
        assert end["status"] == "failed"
        assert "metadata.commands" in end["error"]
        assert device.expect("task_end")["status"] == "failed"


def test_a_task_for_nobody_fails(site: Site) -> None:
    with registered(site.url, name("o"), "constellation") as asker:
        end = ask(asker, "nobody", {"request": "r", "metadata": listed(("echo", {}))})
        assert (end["status"], end["error"]) == ("failed", "device 'nobody' is not connected")
        asker.say("task", "continue", request="r", session_id="s")
        assert "no target_id" in asker.expect("task_end")["error"]


def test_results_that_do_not_fit_fail_the_task_and_nothing_else(site: Site) -> None:
    with pair(site.url) as (device, asker):
        asker.say("task", "continue", session_id="s", request="r", metadata=listed(("echo", {})))
        turn = device.expect("command")["response_id"]
        device.say("command_results", session_id="s", prev_response_id="another", action_results=[])
        device.expect("error")
        device.say("command_results", session_id="s", prev_response_id=turn, action_results=[])
        answers = sorted(device.hear()["type"] for _ in range(2))
        assert answers == ["error", "task_end"]
        assert asker.expect("task_end")["status"] == "failed"
        device.beat()


def test_tasks_of_two_orchestrators_take_turns_on_one_device(site: Site) -> None:
    with pair(site.url) as (device, one):
        with registered(site.url, name("o"), "constellation", target_id=device.client_id) as other:
            for asker in (one, other):
                asker.say(
                    "task",
                    "continue",
                    session_id=asker.client_id,
                    request="r",
                    metadata=listed(*(("echo", {"of": asker.client_id, "n": n}) for n in range(3))),
                )
            ends = 0
            while ends < 2:
                message = device.hear()
                ends += message["type"] == "task_end"
                obey(device, message)
            for asker in (one, other):
                end = asker.expect("task_end")
                told = [each["result"] for each in end["result"]]
                assert told == [{"of": asker.client_id, "n": n} for n in range(3)]


@pytest.mark.parametrize("orderly", [True, False])
def test_a_device_that_goes_fails_its_tasks(orderly: bool, site: Site) -> None:
    with registered(site.url, name("o"), "constellation") as asker:
        with registered(site.url, name()) as device:
            asker.say(
                "task",
                "continue",
                session_id="s",
                target_id=device.client_id,
                request="r",
                metadata=listed(("echo", {})),
            )
            device.expect("command")
            if not orderly:
                device.websocket.socket.close()
        end = asker.expect("task_end")
        assert (end["status"], end["error"]) == ("failed", "device_disconnected")
        asker.beat()


@pytest.mark.parametrize("orderly", [True, False])
def test_a_constellation_that_goes_has_its_tasks_cancelled(orderly: bool, site: Site) -> None:
    with registered(site.url, name()) as device:
        with registered(site.url, name("o"), "constellation", target_id=device.client_id) as asker:
            asker.say("task", "continue", session_id="s", request="r", metadata=listed(("echo", {})))
            device.expect("command")
            if not orderly:
                asker.websocket.socket.close()
        end = device.expect("task_end")
        assert (end["status"], end["error"]) == ("failed", "constellation_disconnected")
        device.beat()


def test_no_session_outlives_both_its_ends(site: Site) -> None:
    session = name("session")
    for _ in range(2):  # the second time the session's id is free again
        with pair(site.url) as (device, asker):
            asker.say("task", "continue", session_id=session, request="r", metadata=listed(("echo", {})))
            assert device.expect("command")["session_id"] == session


def test_a_server_that_stops_tells_both_ends(adapter: str, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with serving(adapter, errors) as server:
        url = first_line(server, errors).removeprefix("listening on ")
        with pair(url) as (device, asker):
            asker.say("task", "continue", session_id="s", request="r", metadata=listed(("echo", {})))
            device.expect("command")
            server.send_signal(signal.SIGTERM)
            for client in (asker, device):
                end = client.expect("task_end")
                assert (end["status"], end["error"]) == ("failed", "server_stopping")
                assert client.gone().code == 1001
        assert server.wait(timeout=PATIENCE) == 143
    assert "Traceback" not in errors.read_text()


def test_messages_are_json_with_every_field(site: Site) -> None:
    with pair(site.url) as (device, asker):
        asker.say("task", "continue", session_id="s", request="r", metadata=listed(("echo", {})))
        message = device.expect("command")
        assert set(message) == {
            "type", "status", "user_request", "agent_name", "process_name", "root_name", "actions",
            "messages", "error", "session_id", "task_name", "timestamp", "response_id", "result",
        }  # fmt: skip
        assert json.dumps(message["timestamp"])
        assert message["timestamp"][10] == "T"
