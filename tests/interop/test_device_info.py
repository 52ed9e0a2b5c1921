"""wire/aip.md, 6: what a device tells of itself."""

from typing import Any

from tests.interop.plain import Frame, Plain, registered
from tests.interop.plain_device import INFO, obey
from tests.interop.programs import Site, name


def request(asker: Plain, device: Plain) -> None:
    asker.say("device_info_request", request_id="q7", target_id=device.client_id)


def told(asker: Plain) -> Frame:
    answer = asker.expect("device_info_response")
    assert answer["response_id"] == "q7"
    return answer


def asked(url: str, device: Plain) -> Any:
    """A constellation that asks this device."""
    return registered(url, name("o"), "constellation", target_id=device.client_id)


def test_a_device_is_asked(site: Site) -> None:
    with registered(site.url, name()) as device, asked(site.url, device) as asker:
        request(asker, device)
        query = device.expect("device_info_request")
        assert query["response_id"]
        obey(device, query)
        answer = told(asker)
        assert (answer["status"], answer["result"], answer["error"]) == ("ok", INFO, None)


def test_a_device_that_does_not_answer_is_known_by_its_registration(site: Site) -> None:
    metadata = {"platform": "plain", "system_info": {"os": "plainOS"}}
    with registered(site.quick_url, name(), metadata=metadata) as device:
        with asked(site.quick_url, device) as asker:
            request(asker, device)
            assert told(asker)["result"] == {"os": "plainOS"}
            device.expect("device_info_request")
            device.say("device_info_response", metadata={"os": "plainOS 2"})  # pushed
            device.beat()
            request(asker, device)
            assert told(asker)["result"] == {"os": "plainOS 2"}


def test_of_a_device_that_tells_nothing_there_is_an_error(site: Site) -> None:
    with registered(site.quick_url, name()) as device, asked(site.quick_url, device) as asker:
        request(asker, device)
        answer = told(asker)
        assert (answer["status"], answer["result"]) == ("error", None)
        assert "did not answer within 0.4 s" in answer["error"]


def test_a_device_s_own_failure_is_told(site: Site) -> None:
    with registered(site.url, name()) as device, asked(site.url, device) as asker:
        request(asker, device)
        query = device.expect("device_info_request")
        device.say("device_info_response", "error", request_id=query["response_id"], error="no sensors")
        answer = told(asker)
        assert answer["status"] == "error"
        assert "no sensors" in answer["error"]


def test_a_device_that_goes_meanwhile_is_told_of(site: Site) -> None:
    with registered(site.url, name("o"), "constellation") as asker:
        with registered(site.url, name()) as device:
            request(asker, device)
            device.expect("device_info_request")
        answer = told(asker)
        assert answer["status"] == "error"
        assert "has disconnected" in answer["error"]


def test_nobody_is_not_connected(site: Site) -> None:
    with registered(site.url, name("o"), "constellation") as asker:
        asker.say("device_info_request", request_id="q7", target_id="nobody")
        assert told(asker)["error"] == "device 'nobody' is not connected"
        asker.say("device_info_request", request_id="q7")
        assert told(asker)["error"] == "no target_id"


def test_a_device_asks_nobody(site: Site) -> None:
    with registered(site.url, name()) as device:
        device.say("device_info_request", request_id="q7")
        assert "is for constellations" in device.expect("error")["error"]
        device.beat()
