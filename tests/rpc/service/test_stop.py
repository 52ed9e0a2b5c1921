"""The end of a service: bounded, and nobody is left without an answer."""

import json
import threading
import time

import pytest
import trio

from aip_trio.actors import current_system, open_system
from aip_trio.rpc import (
    ApiCommandRequest,
    ApiCommandRequestResponse,
    RpcOptions,
    RpcService,
    RpcServiceState,
)
from aip_trio.transport.zeromq import Kind, ZeroMQSocket
from tests.rpc.service.support import (
    RESULT,
    SUCCESS,
    asking,
    dealing,
    request,
    serving,
    subscribed,
    until,
)


@pytest.mark.trio
@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_a_stop_answers_what_is_unanswered_and_ends_soon(plain: bool) -> None:
    gate = threading.Event()

    def stuck(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        gate.wait(10)
        return SUCCESS

    async def endless(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        await trio.sleep_forever()
        return SUCCESS

    try:
        async with (
            serving(stuck if plain else endless, pending_after=0.5) as service,
            subscribed(service, 6001) as events,
            asking(service) as pending,
            asking(service) as waiting,
        ):
            assert (await pending.ask(request(400, nonce=1)))["result"] == RESULT.PENDING_WITH_NOTIFICATION
            await waiting.send(request(400, nonce=2))
            await until(lambda: service.statistics().running == 2)
            with trio.fail_after(2.5):
                await service.stop()
            reply = await waiting.receive()
            assert (reply["nonce"], reply["result"]) == (2, RESULT.UNAVAILABLE)
            assert "is stopping" in reply["errorMessage"]
            _, result = await events.receive()
            assert (result["nonce"], result["result"]) == (1, RESULT.UNAVAILABLE)
            assert service.statistics().running == 0
    finally:
        gate.set()


@pytest.mark.trio
async def test_a_delegate_that_finishes_after_the_stop_is_not_heard() -> None:
    finished = trio.Event()

    async def cleans_up(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:  # noqa: ASYNC103 - a delegate may do that
            with trio.CancelScope(shield=True):
                await trio.sleep(0.05)
            finished.set()
        return SUCCESS

    async with serving(cleans_up, pending_after=0.01) as service, subscribed(service, 6001) as events:
        async with asking(service) as client:
            await client.ask(request(400))
            await service.stop()
        assert finished.is_set()
        assert (await events.receive())[1]["result"] == RESULT.UNAVAILABLE
        assert service.statistics().results == 1


@pytest.mark.trio
async def test_a_command_may_stop_the_service() -> None:
    async with serving() as service, asking(service) as client:

        async def stop(request: ApiCommandRequest) -> ApiCommandRequestResponse:
            await service.stop()
            return SUCCESS

        service.command_request_delegate = stop
        reply = await client.ask(request(100, nonce=1))
        assert (reply["nonce"], reply["result"]) == (1, RESULT.UNAVAILABLE)
        await service.stopped()
        assert service.state is RpcServiceState.STOPPED


@pytest.mark.trio
async def test_a_hurried_end_of_the_system_answers_what_is_unanswered() -> None:
    async def endless(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        await trio.sleep_forever()
        return SUCCESS

    service = RpcService(RpcOptions(subscriber_port=0, command_port=0))
    service.command_request_delegate = endless
    async with ZeroMQSocket(Kind.REQ, linger=0) as socket:
        with trio.fail_after(10), trio.CancelScope() as scope:
            async with service:
                await socket.connect(service.urls.commands)
                await socket.send([request(400, nonce=1)])
                await until(lambda: service.statistics().running)
                scope.cancel()
        assert service.state is RpcServiceState.STOPPED
        reply = json.loads((await socket.receive())[0])
        assert (reply["nonce"], reply["result"]) == (1, RESULT.UNAVAILABLE)


@pytest.mark.trio
async def test_requests_that_have_come_but_were_not_begun_are_answered_too() -> None:
    async with serving() as service, dealing(service) as client:
        await client.ask(request(400, nonce=0))  # there is a connection
        for nonce in range(1, 21):
            client.socket.send_nowait([b"", request(400, nonce=nonce)])
        threading.Event().wait(0.2)  # they come in libzmq's thread, and nobody here can look
        await service.stop()
        replies = [await client.receive() for _ in range(20)]
        assert [reply["nonce"] for reply in replies] == list(range(1, 21))
        assert {reply["result"] for reply in replies} <= {RESULT.SUCCESS, RESULT.UNAVAILABLE}


@pytest.mark.trio
async def test_a_request_that_is_being_handed_over_at_the_stop_is_answered_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_hand = trio.Event()
    receive_many = ZeroMQSocket.receive_many

    async def slowly(socket: ZeroMQSocket) -> list[list[bytes]]:
        messages = await receive_many(socket)
        if socket.kind is Kind.ROUTER:
            in_hand.set()
            with trio.CancelScope(shield=True):  # as it is, for one turn, where there was no need to wait
                await trio.sleep(0.05)
        return messages

    monkeypatch.setattr(ZeroMQSocket, "receive_many", slowly)
    async with serving() as service, asking(service) as client:
        await client.send(request(400, nonce=1))
        await in_hand.wait()
        await service.stop()
        assert (await client.receive())["result"] == RESULT.UNAVAILABLE
        assert current_system().statistics().crashes == 0


@pytest.mark.trio
async def test_what_waits_to_be_published_still_is() -> None:
    async with serving() as service, subscribed(service, 5001) as events:
        for number in range(2000):
            assert service.send_dict(5001, {"number": number})
        await service.stop()
        assert [(await events.receive())[1]["number"] for _ in range(2000)] == list(range(2000))


@pytest.mark.trio
@pytest.mark.parametrize("attempt", range(10))
async def test_a_stop_amid_traffic_is_no_crash(attempt: int) -> None:
    async with serving() as service, dealing(service) as client, trio.open_nursery() as nursery:

        async def ask_on() -> None:
            while True:
                await client.send(request(400))

        def publish_on() -> None:
            while service.state is RpcServiceState.STARTED:
                service.send_dict(5001, {})
                time.sleep(0.0001)  # else it has the interpreter nearly to itself

        nursery.start_soon(ask_on)
        nursery.start_soon(trio.to_thread.run_sync, publish_on)
        for _ in range(attempt):
            await client.receive()
        await until(lambda: service.statistics().published.get(5001))
        await service.stop()
        assert current_system().statistics().crashes == 0
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_the_ports_are_free_again_at_once() -> None:
    async with serving() as service:
        ports = service.subscriber_port, service.command_port
        for _ in range(3):
            await service.stop()
            async with open_system():
                service = RpcService(RpcOptions(subscriber_port=ports[0], command_port=ports[1]))
                await service.start()
                assert (service.subscriber_port, service.command_port) == ports
                await service.stop()


@pytest.mark.trio
async def test_the_end_of_its_system_is_its_end() -> None:
    async with open_system():
        service = RpcService(RpcOptions(subscriber_port=0, command_port=0))
        await service.start()
        assert service.state is RpcServiceState.STARTED
    await until(lambda: service.state is RpcServiceState.STOPPED)
