"""wire/aip.md, 3: heartbeats, and the server's pings."""

import json
import os
import signal

from tests.cli.programs import PATIENCE
from tests.interop.plain import Plain, listed, registered
from tests.interop.programs import Site, first_line, name, plain, running


def test_each_heartbeat_is_answered(site: Site) -> None:
    with registered(site.url, name()) as device:
        seen: set[str] = set()
        for _ in range(20):
            device.say("heartbeat", metadata={"custom_info": "value"})
        for _ in range(20):
            answer = device.expect("heartbeat")
            assert answer["status"] == "ok"
            seen.add(answer["response_id"])
        assert len(seen) == 20


def test_a_constellation_s_heartbeat_may_say_device_as_existing_ones_do(site: Site) -> None:
    with registered(site.url, name("o"), "constellation") as client:
        client.say("heartbeat", client_type="device")
        client.expect("heartbeat")


def test_who_answers_pings_stays_without_a_word(site: Site) -> None:
    with registered(site.quick_url, name()) as device:
        device.silent(1.6)  # longer than the quick server's patience with the dead
        device.beat()


def test_who_answers_none_is_cut_off_and_its_task_fails(site: Site) -> None:
    client_id = name()
    with running(*plain("plain_device", site.quick_url, client_id)) as device:
        assert json.loads(first_line(device))["type"] == "heartbeat"
        with registered(site.quick_url, name("o"), "constellation", target_id=client_id) as asker:
            os.kill(device.pid, signal.SIGSTOP)
            asker.say("task", "continue", session_id="s", request="r", metadata=listed(("echo", {})))
            end = asker.expect("task_end", timeout=5)
            assert (end["status"], end["error"]) == ("failed", "device_disconnected")
            os.kill(device.pid, signal.SIGCONT)
            assert device.wait(timeout=PATIENCE) == 1


def test_ten_seconds_without_a_first_frame_are_too_many(silent: Plain) -> None:
    assert "no frame within 10 s" in silent.refused(timeout=15)
