"""Commands over real sockets."""

from __future__ import annotations

import json
import math
from collections import Counter
from functools import partial

import pytest
import trio

from aip_trio.actors import open_system
from aip_trio.errors import (
    ClientNotRunning,
    CommandLost,
    CommandTimeout,
    EncodeError,
    InvalidSpec,
    ServiceUnreachable,
    StartFailed,
)
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    Reply,
    RpcClient,
    RpcOptions,
)
from aip_trio.rpc.client._calls import Calls, Connection
from tests.rpc.client.services import PATIENCE, BareService, client_of, service_of, until

pytestmark = pytest.mark.trio

SUCCESS = ApiCommandRequestResult.SUCCESS


async def test_a_command_is_answered_with_what_the_delegate_returned() -> None:
    async with service_of() as service, client_of(service) as client:
        reply = await client.command(ApiCommand.GET_STATUS, {"some_key": [1, {"inner_key": "snake_value"}]})
    assert (reply.command, reply.result) == (ApiCommand.GET_STATUS, SUCCESS)
    assert reply.data == {"some_key": [1, {"inner_key": "snake_value"}]}


async def test_the_delegate_sees_all_that_was_said() -> None:
    seen: list[ApiCommandRequest] = []

    async def keep(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        seen.append(request)
        return ApiCommandRequestResponse(SUCCESS)

    async with service_of(delegate=keep) as service, client_of(service) as client:
        reply = await client.command(123456, "text", custom_command=7)
    assert seen == [ApiCommandRequest(ApiCommand.USER_DEFINED, 7, reply.nonce, "text")]


async def test_a_pending_command_can_be_waited_for() -> None:
    async with service_of() as service, client_of(service) as client:
        reply = await client.command(ApiCommand.USER_DEFINED, {"some_key": 1})
        assert reply.result == ApiCommandRequestResult.PENDING_WITH_NOTIFICATION
        reply = await client.command(ApiCommand.USER_DEFINED, {"some_key": 2}, wait=True)
        assert (reply.result, reply.data) == (SUCCESS, {"some_key": 2})


async def test_many_commands_at_once_are_each_answered() -> None:
    answers: dict[int, object] = {}

    async def ask(client: RpcClient, number: int) -> None:
        answers[number] = (await client.command(ApiCommand.GET_STATUS, number)).data

    async with service_of() as service, client_of(service) as client:
        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(ask, client, number)
        assert client.statistics().answered == 200
        assert client.statistics().open == 0
    assert answers == {number: number for number in range(200)}


async def test_it_may_wait_for_a_service_that_is_not_there_yet() -> None:
    async with service_of() as service:
        ports = service.subscriber_port, service.command_port
    replies: list[Reply] = []
    with trio.fail_after(PATIENCE):
        async with RpcClient("127.0.0.1", *ports) as client, trio.open_nursery() as nursery:

            async def ask() -> None:
                replies.append(await client.command(ApiCommand.GET_STATUS, timeout=math.inf))
                nursery.cancel_scope.cancel()

            nursery.start_soon(ask)
            await trio.sleep(0.2)
            assert not replies
            async with service_of(RpcOptions(subscriber_port=ports[0], command_port=ports[1])):
                await trio.sleep_forever()
    assert replies[0].result == SUCCESS


async def test_without_a_service_it_says_what_is_the_matter() -> None:
    async with service_of() as service:
        ports = service.subscriber_port, service.command_port
    async with RpcClient("127.0.0.1", *ports, timeout=0.2) as client:
        with pytest.raises(ServiceUnreachable) as raised:
            await client.command(ApiCommand.GET_STATUS)
        assert raised.value.url == f"tcp://127.0.0.1:{ports[1]}"
        with pytest.raises(ServiceUnreachable):
            await client.command(ApiCommand.GET_STATUS, timeout=0)
        assert client.statistics().sent == 0


async def test_a_service_that_answers_nothing_is_not_waited_for_longer_than_said() -> None:
    async with BareService() as service, client_of(service) as client:
        with pytest.raises(CommandTimeout):
            await client.command(ApiCommand.GET_STATUS, timeout=0.1)
        nonce = json.loads(await service.request())["nonce"]
        reply = {"nonce": nonce, "command": 400, "result": 100}
        await service.reply(json.dumps(reply).encode())
        await until(lambda: client.statistics().late)


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"[1]", b'{"nonce": "x"}', b"\xff" * 100])
async def test_a_service_that_replies_rubbish_fails_that_command_alone(rubbish: bytes) -> None:
    async with BareService() as service, client_of(service) as client, trio.open_nursery() as nursery:

        async def serve() -> None:
            await service.request()
            await service.reply(rubbish)
            nonce = json.loads(await service.request())["nonce"]
            await service.reply(json.dumps({"nonce": nonce, "command": 400, "result": 100}).encode())

        nursery.start_soon(serve)
        with pytest.raises(CommandTimeout):
            await client.command(ApiCommand.GET_STATUS, timeout=0.2)
        assert (await client.command(ApiCommand.GET_STATUS)).result == SUCCESS
        assert client.statistics().malformed == 1


async def test_what_goes_to_a_peers_rep_socket_is_what_its_clients_send() -> None:
    async with BareService() as service, client_of(service) as client, trio.open_nursery() as nursery:
        replies: list[Reply] = []

        async def ask() -> None:
            replies.append(
                await client.command(ApiCommand.GET_CONFIGURATION, {"some_key": 1}, custom_command=3)
            )

        nursery.start_soon(ask)
        request = json.loads(await service.request())
        nonce = request.pop("nonce")
        assert request == {"command": 300, "customCommand": 3, "data": {"someKey": 1}}
        await service.reply(b'{"nonce": 0, "command": 0, "result": 0, "data": null, "errorKind": 0}')
    assert replies == [Reply(0, ApiCommand.NONE)]
    assert nonce > 0


async def test_a_service_that_is_started_again_gets_no_command_of_before() -> None:
    runs: Counter[object] = Counter()

    async def count(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        runs[request.data] += 1
        return ApiCommandRequestResponse(SUCCESS, request.data)

    async with BareService() as bare, client_of(bare) as client:
        ports = bare.subscriber_port, bare.command_port
        errors: list[CommandLost] = []

        async def ask(data: str) -> None:
            with pytest.raises(CommandLost) as raised:
                await client.command(ApiCommand.START_ACQUISITION, data)
            errors.append(raised.value)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, "before")
            assert json.loads(await bare.request())["data"] == "before"
            await bare.__aexit__(None, None, None)  # in flight, and no answer
        assert errors[0].command == ApiCommand.START_ACQUISITION
        with pytest.raises(ServiceUnreachable):
            await client.command(ApiCommand.START_ACQUISITION, "between", timeout=0.1)
        options = RpcOptions(subscriber_port=ports[0], command_port=ports[1], heartbeat_interval=0.1)
        async with service_of(options, count):
            assert (await client.command(ApiCommand.START_ACQUISITION, "after")).data == "after"
            await trio.sleep(0.1)
        assert client.statistics().connections == 2
    assert runs == {"after": 1}


async def test_a_stopped_service_leaves_no_command_without_an_answer() -> None:
    begun = trio.Event()

    async def hang(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        begun.set()
        await trio.sleep_forever()
        raise AssertionError

    outcomes: list[Reply | CommandLost] = []
    options = RpcOptions(subscriber_port=0, command_port=0, pending_after=60.0)
    async with open_system():
        async with service_of(options, hang) as service, client_of(service) as client:

            async def ask() -> None:
                try:
                    outcomes.append(await client.command(ApiCommand.GET_STATUS))
                except CommandLost as lost:
                    outcomes.append(lost)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await begun.wait()
                await service.stop()
    assert len(outcomes) == 1


async def test_the_actor_for_commands_can_fail_and_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with service_of() as service, client_of(service) as client:
        real = Calls.received

        def fail(calls: Calls, connection: Connection, frames: list[bytes]) -> None:
            monkeypatch.setattr(Calls, "received", real)
            raise ZeroDivisionError("planted")

        monkeypatch.setattr(Calls, "received", fail)
        with pytest.raises(CommandLost):
            await client.command(ApiCommand.GET_STATUS)
        assert (await client.command(ApiCommand.GET_STATUS)).result == SUCCESS


async def test_data_that_have_no_form_are_refused_where_they_are_given() -> None:
    async with service_of() as service, client_of(service) as client:
        with pytest.raises(EncodeError, match=r"\$\['data'\]\['some_key'\]"):
            await client.command(ApiCommand.GET_STATUS, {"some_key": {1, 2}})
        assert client.statistics().sent == 0


@pytest.mark.parametrize("seconds", [-1, math.nan, "5"])
async def test_a_timeout_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidSpec):
        RpcClient(timeout=seconds)


@pytest.mark.parametrize("ports", [(0, 5557), (5556, 65536), (5556, True)])
async def test_a_port_that_is_none_is_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(InvalidSpec):
        RpcClient("127.0.0.1", *ports)


async def test_a_url_is_no_host() -> None:
    with pytest.raises(InvalidSpec, match="give the address alone"):
        RpcClient("tcp://127.0.0.1")


async def test_a_command_is_no_text() -> None:
    async with RpcClient() as client:
        with pytest.raises(InvalidSpec, match="command='GET_STATUS': give an ApiCommand, or a number"):
            await client.command("GET_STATUS")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def test_a_host_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(StartFailed, match="InvalidUrl"):
        async with RpcClient("no host"):
            pass


async def test_what_speaks_another_protocol_is_told() -> None:
    async def greet(stream: trio.SocketStream) -> None:
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, greet, 0, host="127.0.0.1"))
        port: int = listeners[0].socket.getsockname()[1]
        async with RpcClient("127.0.0.1", port, port, timeout=0.3) as client:
            with pytest.raises(ServiceUnreachable) as raised:
                await client.command(ApiCommand.NONE)
        assert raised.value.reason != "nobody listens there"
        nursery.cancel_scope.cancel()


async def test_a_client_that_does_not_run_says_so() -> None:
    client = RpcClient()
    for call in (client.statistics, lambda: client.presence, client.presence_changes):
        with pytest.raises(ClientNotRunning):
            call()
    with pytest.raises(ClientNotRunning):
        await client.command(ApiCommand.NONE)
    with pytest.raises(ClientNotRunning):
        await client.ready()
    async with client:
        pass
    with pytest.raises(ClientNotRunning):
        await client.command(ApiCommand.NONE)


async def test_a_client_can_be_started_again() -> None:
    async with service_of() as service:
        client = RpcClient("127.0.0.1", service.subscriber_port, service.command_port)
        for _ in range(2):
            async with client:
                assert (await client.command(ApiCommand.GET_STATUS)).result == SUCCESS


async def test_its_tree_stands_in_the_system_that_there_is() -> None:
    async with open_system() as system, service_of() as service, client_of(service):
        assert system.find("/rpc-client/commands") is not None
        assert system.find("/rpc-client/events") is not None
        assert system.find("/rpc-client/presence") is not None
