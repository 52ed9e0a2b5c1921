"""What devices tell of themselves, over real sockets, as wire/aip.md 6 has it."""

import pytest

from tests.endpoints.peer import Frame, Peer, device, orchestrator
from tests.endpoints.support import serving


async def ask(orch: Peer, request_id: str, target: str | None = "dev-1") -> None:
    fields: Frame = {"client_type": "constellation", "target_id": target, "request_id": request_id}
    await orch.send("device_info_request", **fields)


async def info(orch: Peer, request_id: str) -> Frame:
    answer = await orch.receive("device_info_response")
    assert answer["response_id"] == request_id
    return answer


@pytest.mark.trio
async def test_the_device_is_asked_and_its_answer_passed_on() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await ask(orch, "q1")
        query = await client.receive("device_info_request")
        await client.send(
            "device_info_response", request_id=query["response_id"], metadata={"os": "linux", "cpus": [1, 2]}
        )
        answer = await info(orch, "q1")
        assert (answer["status"], answer["result"]) == ("ok", {"os": "linux", "cpus": [1, 2]})


@pytest.mark.trio
async def test_questions_at_the_same_time_get_each_its_answer() -> None:
    async with (
        serving() as server,
        device(server.url) as client,
        orchestrator(server.url) as one,
        orchestrator(server.url, "orch-2") as two,
    ):
        await ask(one, "same")
        first = await client.receive("device_info_request")
        await ask(two, "same")
        second = await client.receive("device_info_request")
        await client.send("device_info_response", request_id=second["response_id"], metadata={"n": 2})
        await client.send("device_info_response", request_id=first["response_id"], metadata={"n": 1})
        assert (await info(one, "same"))["result"] == {"n": 1}
        assert (await info(two, "same"))["result"] == {"n": 2}


@pytest.mark.trio
async def test_what_it_registered_with_has_to_do_where_it_does_not_answer_in_time() -> None:
    metadata = {"system_info": {"os": "as registered"}}
    async with (
        serving(info_timeout=0.05) as server,
        device(server.url, metadata=metadata) as client,
        device(server.url, "dev-2", metadata={"system_info": "nonsense"}),
        orchestrator(server.url, target=None) as orch,
    ):
        await ask(orch, "q1")
        query = await client.receive("device_info_request")
        assert (await info(orch, "q1"))["result"] == {"os": "as registered"}
        # An answer that is too late is news all the same.
        await client.send("device_info_response", request_id=query["response_id"], metadata={"os": "late"})
        await client.heartbeat()
        await ask(orch, "q2")
        assert (await info(orch, "q2"))["result"] == {"os": "late"}
        await ask(orch, "q3", "dev-2")
        answer = await info(orch, "q3")
        assert answer["status"] == "error"
        assert "did not answer within 0.05 s" in answer["error"]
        assert "result" not in answer


@pytest.mark.trio
async def test_what_a_device_pushes_is_known_from_then_on() -> None:
    async with (
        serving(info_timeout=0.05) as server,
        device(server.url, metadata={"system_info": {"os": "as registered"}}) as client,
        orchestrator(server.url) as orch,
    ):
        await client.send("device_info_response", metadata={"os": "pushed"})
        await client.heartbeat()
        await ask(orch, "q1")
        assert (await info(orch, "q1"))["result"] == {"os": "pushed"}


@pytest.mark.trio
async def test_a_device_that_cannot_tell_says_why() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        for said, reason in (({"error": "no eyes"}, "no eyes"), ({}, "it sent none")):
            await ask(orch, "q")
            query = await client.receive("device_info_request")
            await client.send("device_info_response", "error", request_id=query["response_id"], **said)
            answer = await info(orch, "q")
            assert answer["status"] == "error"
            assert reason in answer["error"]


@pytest.mark.trio
async def test_no_device_no_answer_but_an_error() -> None:
    async with serving() as server, orchestrator(server.url, target=None) as orch:
        await ask(orch, "q1", "dev-9")
        assert "'dev-9' is not connected" in (await info(orch, "q1"))["error"]
        await ask(orch, "q2", None)
        assert "target_id" in (await info(orch, "q2"))["error"]


@pytest.mark.trio
async def test_a_device_that_goes_while_it_is_asked_is_an_error() -> None:
    async with serving() as server, orchestrator(server.url, target=None) as orch:
        async with device(server.url, metadata={"system_info": {}}) as client:
            await ask(orch, "q1")
            await client.receive("device_info_request")
            await client.cut()
        answer = await info(orch, "q1")
        assert "'dev-1' has disconnected" in answer["error"]
        await orch.heartbeat()


@pytest.mark.trio
async def test_many_questions_wait_for_their_turn_and_all_are_answered() -> None:
    async with (
        serving(info_timeout=0.05) as server,
        device(server.url, metadata={"system_info": {"os": "x"}}),
        orchestrator(server.url) as orch,
    ):
        for number in range(150):  # more than may be open at a time
            await ask(orch, str(number))
        answers = [await orch.receive("device_info_response") for _ in range(150)]
        assert sorted(int(answer["response_id"]) for answer in answers) == list(range(150))
