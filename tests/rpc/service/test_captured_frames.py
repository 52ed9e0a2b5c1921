"""The frames captured from auto-trainer-api 0.12, through a real socket: answered as its own service did."""

import json
from pathlib import Path
from typing import Any

import pytest
import trio
import zmq

from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult as Result,
    ApiEvent,
    ApiEventKind,
    ApiTopic,
)
from tests.rpc.service.support import serving

CAPTURED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "wire" / "rpc.json").read_text(encoding="utf-8")
)
COMMANDS = [(each["request"].encode(), json.loads(each["reply"])) for each in CAPTURED["commands"]]
PUBLISHED = [
    (bytes.fromhex(each["topic_hex"]), json.loads(each["payload"])) for each in CAPTURED["published"]
]


def delegate(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    """As the one that the frames were captured with."""
    match request.command:
        case ApiCommand.GET_CONFIGURATION:
            data = {"device_id": "000000", "nested_key": {"inner_key": [1, 2]}}
            return ApiCommandRequestResponse(Result.SUCCESS, data)
        case ApiCommand.USER_DEFINED:
            return ApiCommandRequestResponse(Result.PENDING_WITH_NOTIFICATION)
        case ApiCommand.EMERGENCY_STOP:
            raise RuntimeError("boom_in_delegate")
        case ApiCommand.EMERGENCY_RESUME:
            return ApiCommandRequestResponse(Result.FAILED, None, 7, "not_stopped")
        case _:
            return ApiCommandRequestResponse(Result.SUCCESS)


async def delegate_on_trio(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    return delegate(request)


def ask_plainly(port: int, requests: list[bytes]) -> list[bytes]:
    """What plain pyzmq's REQ socket gets, one after another."""
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.setsockopt(zmq.RCVTIMEO, 5000)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(f"tcp://127.0.0.1:{port}")
        replies: list[bytes] = []
        for each in requests:
            socket.send(each)
            replies.append(socket.recv())
        return replies


def subscribe_plainly(
    port: int, wanted: int, ready: "trio.Event", token: trio.lowlevel.TrioToken
) -> list[list[bytes]]:
    """The first messages that plain pyzmq's SUB socket gets, probes left out."""
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.setsockopt(zmq.RCVTIMEO, 5000)
        socket.connect(f"tcp://127.0.0.1:{port}")
        socket.subscribe(b"")
        got: list[list[bytes]] = []
        while len(got) < wanted:
            frames = socket.recv_multipart()
            if frames[1] == b"probe":
                token.run_sync_soon(ready.set, idempotent=True)
            else:
                got.append(frames)
        return got


@pytest.mark.trio
@pytest.mark.parametrize("function", [delegate, delegate_on_trio])
async def test_every_captured_request_has_the_captured_reply(function: Any) -> None:
    async with serving(function, pending_after=5) as service:
        requests = [request for request, _ in COMMANDS]
        replies = await trio.to_thread.run_sync(ask_plainly, service.command_port, requests)
    assert [json.loads(reply) for reply in replies] == [reply for _, reply in COMMANDS]
    assert [list(json.loads(reply)) for reply in replies] == [list(reply) for _, reply in COMMANDS]


@pytest.mark.trio
async def test_every_captured_event_is_published_as_it_was() -> None:
    (_, heartbeat), (_, event), (_, emergency), _ = PUBLISHED
    received: list[list[bytes]] = []
    ready = trio.Event()
    async with serving(delegate) as service, trio.open_nursery() as nursery:

        async def subscribe() -> None:
            received.extend(
                await trio.to_thread.run_sync(
                    subscribe_plainly, service.subscriber_port, 4, ready, trio.lowlevel.current_trio_token()
                )
            )

        nursery.start_soon(subscribe)
        while not ready.is_set():
            service.send_string(7, "probe")
            await trio.sleep(0.01)
        assert service.send_dict(ApiTopic.HEARTBEAT, heartbeat)
        context = {"training_plan_id": "some_value", "k": 1}
        assert service.send_event(ApiEvent(event["kind"], event["when"], event["index"], context))
        assert service.send_event_dict(emergency)
    assert [(topic, json.loads(payload)) for topic, payload in received] == PUBLISHED
    assert ApiEventKind.emergencyStop == emergency["kind"]
