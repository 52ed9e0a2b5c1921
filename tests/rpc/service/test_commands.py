"""Commands over real sockets: each is answered once, in order, whatever the delegate or a client does."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
import trio

from aip_trio.actors import current_system
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    CommandRequestDelegate,
)
from aip_trio.transport.zeromq import Kind, ZeroMQSocket
from tests.rpc.service.support import (
    RESULT,
    SUCCESS,
    Client,
    ask,
    asking,
    dealing,
    request,
    serving,
    subscribed,
    until,
)

Response = ApiCommandRequestResponse

ZEROS = {
    "nonce": 0,
    "command": 0,
    "result": 0,
    "data": None,
    "errorKind": 0,
    "errorCode": 0,
    "errorMessage": None,
}


class Gated:
    """A delegate that holds some commands up until its gate opens, and does the others at once."""

    def __init__(self, *held: int) -> None:
        self.held = held
        self.gate = trio.Event()
        self.cancelled = 0

    async def __call__(self, request: ApiCommandRequest) -> Response:
        if request.command in self.held:
            try:
                await self.gate.wait()
            except trio.Cancelled:
                self.cancelled += 1
                raise
        return Response(RESULT.SUCCESS, {"command": int(request.command)})


@pytest.mark.trio
async def test_many_clients_get_their_own_answers() -> None:
    async def echo(request: ApiCommandRequest) -> Response:
        if request.nonce % 2:
            await trio.lowlevel.checkpoint()
        return Response(RESULT.SUCCESS, request.data)

    async with serving(echo) as service:

        async def run(name: str) -> None:
            async with asking(service) as client:
                for nonce in range(20):
                    reply = await client.ask(request(400, nonce=nonce, data={"who": name, "n": nonce}))
                    assert (reply["nonce"], reply["data"]) == (nonce, {"who": name, "n": nonce})

        async with trio.open_nursery() as nursery:
            for index in range(20):
                nursery.start_soon(run, f"client-{index}")
        assert service.statistics().replies == {"SUCCESS": 400}
        assert service.statistics().running == 0


@pytest.mark.trio
async def test_a_plain_function_runs_in_a_thread() -> None:
    threads: list[int] = []

    def delegate(request: ApiCommandRequest) -> Response:
        threads.append(threading.get_ident())
        return SUCCESS

    async with serving(delegate) as service:
        (reply,) = await ask(service, request(400, nonce=1))
    assert reply["result"] == RESULT.SUCCESS
    assert threads != [threading.get_ident()]


@pytest.mark.trio
async def test_a_request_reaches_the_delegate_in_snake_case() -> None:
    seen: list[ApiCommandRequest] = []

    async def delegate(request: ApiCommandRequest) -> Response:
        seen.append(request)
        return Response(RESULT.SUCCESS, {"device_id": "some_value"})

    async with serving(delegate) as service:
        (reply,) = await ask(service, request(123456, nonce=5, customCommand=9, data={"someKey": "a_b"}))
    assert seen == [ApiCommandRequest(ApiCommand.USER_DEFINED, 9, 5, {"some_key": "a_b"})]
    assert (reply["command"], reply["data"]) == (99999, {"deviceId": "some_value"})


@pytest.mark.trio
@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_a_slow_delegate_holds_up_nobody_and_its_end_is_published(plain: bool) -> None:
    gate = threading.Event()

    def slow(request: ApiCommandRequest) -> Response:
        if request.command == ApiCommand.GET_STATUS:
            gate.wait(10)
        return Response(RESULT.SUCCESS, {"some_key": 1})

    async def slow_async(request: ApiCommandRequest) -> Response:
        if request.command == ApiCommand.GET_STATUS:
            await until(gate.is_set)
        return Response(RESULT.SUCCESS, {"some_key": 1})

    async with (
        serving(slow if plain else slow_async, pending_after=0.5) as service,
        subscribed(service, 6001) as events,
    ):
        async with asking(service) as one, asking(service) as other:
            await one.send(request(400, nonce=7))
            assert (await other.ask(request(300)))["result"] == RESULT.SUCCESS
            reply = await one.receive()
            assert (reply["nonce"], reply["command"], reply["result"]) == (7, 400, 201)
            assert (await one.ask(request(300)))["result"] == RESULT.SUCCESS
            assert service.statistics().pending == service.statistics().running == 1
            gate.set()
            topic, result = await events.receive()
            assert topic == 6001
            assert result == {
                "result": 100,
                "data": {"someKey": 1},
                "errorCode": 0,
                "errorMessage": None,
                "command": 400,
                "nonce": 7,
            }
        assert service.statistics().pending == service.statistics().running == 0
        assert service.statistics().results == 1


@pytest.mark.trio
async def test_a_client_is_answered_in_the_order_of_its_requests() -> None:
    delegate = Gated(400)
    async with serving(delegate, pending_after=10) as service, dealing(service) as client:
        for command in (400, 300, 1, 400, 300):  # 1 is no known command
            await client.send(request(command, nonce=command))
        await client.send(b"no json")
        async with asking(service) as other:
            assert (await other.ask(request(300)))["result"] == RESULT.SUCCESS
        with trio.move_on_after(0.05):
            pytest.fail(f"{await client.receive()} came before its turn")
        delegate.gate.set()
        replies = [await client.receive() for _ in range(6)]
        assert [reply["nonce"] for reply in replies] == [400, 300, 1, 400, 300, 0]


@pytest.mark.trio
async def test_a_line_that_grows_too_long_is_not_waited_for() -> None:
    delegate = Gated(400)
    async with serving(delegate, pending_after=1000) as service, dealing(service) as client:
        await client.send(request(400, nonce=1))
        for nonce in range(2, 1100):
            await client.send(request(300, nonce=nonce))
        replies = [await client.receive() for _ in range(1099)]
        assert [reply["nonce"] for reply in replies] == list(range(1, 1100))
        assert replies[0]["result"] == RESULT.PENDING_WITH_NOTIFICATION


@pytest.mark.trio
async def test_a_dealer_without_delimiter_is_answered_without_one() -> None:
    async with serving() as service, dealing(service, delimiter=False) as client:
        assert (await client.ask(request(300, nonce=1)))["nonce"] == 1


def rubbish(_request: ApiCommandRequest) -> Response:
    return cast("Response", "rubbish")


def raises(error: BaseException) -> CommandRequestDelegate:
    def delegate(request: ApiCommandRequest) -> Response:
        raise error

    return delegate


def raises_on_trio(error: BaseException, *, later: bool = False) -> CommandRequestDelegate:
    async def delegate(request: ApiCommandRequest) -> Response:
        if later:
            await trio.lowlevel.checkpoint()
        raise error

    return delegate


async def no_arguments() -> Response:
    return SUCCESS


@pytest.mark.trio
@pytest.mark.parametrize(
    ("delegate", "text"),
    [
        (rubbish, "ApiCommandRequestResponse"),
        (raises(RuntimeError("planted")), "planted"),
        (raises(SystemExit(3)), "3"),
        (raises(KeyError()), "KeyError"),
        (raises(GeneratorExit("own")), "GeneratorExit"),
        (raises_on_trio(RuntimeError("planted")), "planted"),
        (raises_on_trio(RuntimeError("planted"), later=True), "planted"),
        (raises_on_trio(SystemExit(3), later=True), "3"),
        (raises_on_trio(BaseExceptionGroup("two", [SystemExit(3)])), "two"),
        (raises_on_trio(StopIteration()), "StopIteration"),
        (raises_on_trio(GeneratorExit("own")), "own"),
        (raises_on_trio(GeneratorExit("own"), later=True), "GeneratorExit"),
        (raises_on_trio(BaseExceptionGroup("two", [GeneratorExit()]), later=True), "two"),
        (no_arguments, "positional argument"),
    ],
)
async def test_a_delegate_that_fails_is_an_answer_and_the_service_lives_on(
    delegate: CommandRequestDelegate, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(delegate) as service, asking(service) as client:
        for nonce in (1, 2):
            reply = await client.ask(request(400, nonce=nonce))
            assert (reply["nonce"], reply["result"], reply["errorKind"]) == (nonce, RESULT.EXCEPTION, 0)
            assert text in reply["errorMessage"]
        service.command_request_delegate = lambda request: SUCCESS
        assert (await client.ask(request(400)))["result"] == RESULT.SUCCESS
    assert len(caplog.records) <= 1  # of many failures, one line in ten seconds


@pytest.mark.trio
async def test_a_plain_function_may_return_a_coroutine() -> None:
    async def later(request: ApiCommandRequest) -> Response:
        await trio.lowlevel.checkpoint()
        return Response(RESULT.SUCCESS, request.nonce)

    async with serving(lambda request: later(request)) as service:
        assert [reply["data"] for reply in await ask(service, request(400, nonce=8))] == [8]


@pytest.mark.trio
async def test_an_async_delegate_that_never_returns_is_given_up() -> None:
    delegate = Gated(400)
    async with (
        serving(delegate, pending_after=0.01, delegate_timeout=0.5) as service,
        subscribed(service, 6001) as events,
    ):
        assert [reply["result"] for reply in await ask(service, request(400, nonce=3))] == [201]
        _, result = await events.receive()
        assert (result["result"], result["command"], result["nonce"]) == (RESULT.EXCEPTION, 400, 3)
        assert "did not return within 0.5 s" in result["errorMessage"]
        await until(lambda: delegate.cancelled)
        assert service.statistics().given_up == 1
        assert [reply["result"] for reply in await ask(service, request(300))] == [RESULT.SUCCESS]


@pytest.mark.trio
async def test_a_delegate_that_fails_as_it_is_given_up_harms_nobody() -> None:
    async def fails_in_its_cleanup() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("planted")

    async def delegate(request: ApiCommandRequest) -> Response:
        if request.command == ApiCommand.GET_STATUS:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fails_in_its_cleanup)
                await trio.sleep_forever()
        return SUCCESS

    async with serving(delegate, pending_after=10, delegate_timeout=0.05) as service:
        for _ in range(2):
            (reply,) = await ask(service, request(400))
            assert reply["result"] == RESULT.EXCEPTION
        assert [reply["result"] for reply in await ask(service, request(300))] == [RESULT.SUCCESS]
        assert [node.restarts for node in current_system().tree().walk()] == [0] * 5


@pytest.mark.trio
async def test_one_that_is_given_up_before_its_client_was_told_is_answered_so() -> None:
    async with serving(Gated(400), pending_after=10, delegate_timeout=0.05) as service:
        (reply,) = await ask(service, request(400))
    assert reply["result"] == RESULT.EXCEPTION


@pytest.mark.trio
async def test_a_thread_that_never_returns_is_given_up_and_counts_until_it_does() -> None:
    gate = threading.Event()

    def stuck(request: ApiCommandRequest) -> Response:
        gate.wait(10)
        return SUCCESS

    async with serving(stuck, max_commands=1, pending_after=0.01, delegate_timeout=0.05) as service:
        try:
            await ask(service, request(400))
            await until(lambda: service.statistics().given_up)
            (reply,) = await ask(service, request(400))
            assert reply["result"] == RESULT.UNAVAILABLE
            assert "1 commands run already" in reply["errorMessage"]
        finally:
            gate.set()
        await until(lambda: not service._desk.threads.borrowed_tokens)
        (reply,) = await ask(service, request(400))
        assert reply["result"] != RESULT.UNAVAILABLE


@pytest.mark.trio
async def test_what_is_too_much_at_once_is_refused() -> None:
    delegate = Gated(400)
    async with serving(delegate, max_commands=3, pending_after=0.05) as service, dealing(service) as client:
        for nonce in range(5):
            await client.send(request(400, nonce=nonce))
        await client.send(request(300, nonce=5))
        results = [(await client.receive())["result"] for _ in range(6)]
        assert results == [201, 201, 201, 9999, 9999, 9999]
        delegate.gate.set()
        await until(lambda: not service.statistics().running)
        assert (await client.ask(request(300)))["result"] == RESULT.SUCCESS


@pytest.mark.trio
async def test_a_client_that_dies_before_its_answer_harms_nobody() -> None:
    delegate = Gated(400)
    async with serving(delegate, pending_after=10) as service:
        async with dealing(service) as client:
            await client.send(request(400))
            await until(lambda: service.statistics().running)
        async with asking(service) as other:
            assert (await other.ask(request(300)))["result"] == RESULT.SUCCESS
            delegate.gate.set()
            await until(lambda: not service.statistics().running)
            assert (await other.ask(request(300)))["result"] == RESULT.SUCCESS
        assert service.statistics().gone == 1


MALFORMED = [
    pytest.param(data, id=name)
    for name, data in {
        "empty": b"",
        "no-json": b"no json",
        "cut": b'{"command": 300',
        "no-utf-8": b"\xff\xfe\x00",
        "no-object": b"[300]",
        "number": b"300",
        "null": b"null",
        "string": b'"{}"',
        "no-command": b'{"nonce": 7}',
        "command-null": b'{"command": null}',
        "command-bool": b'{"command": true}',
        "command-text": b'{"command": "300"}',
        "command-half": b'{"command": 300.5}',
        "command-list": b'{"command": [300]}',
        "command-none": b'{"command": 0, "nonce": 7}',
        "deep": b'{"command": 300, "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "deeper": b"[" * 1_000_000,
    }.items()
]


@pytest.mark.trio
@pytest.mark.parametrize("data", MALFORMED)
async def test_what_is_no_request_is_answered_with_zeros(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as service, asking(service) as client:
        assert await client.ask(data) == ZEROS
        assert await client.ask(data) == ZEROS
        assert (await client.ask(request(300, nonce=1)))["nonce"] == 1
        assert service.statistics().malformed == 2
    assert len([record for record in caplog.records if record.name == "aip_trio.rpc"]) == 1
    assert max(len(record.getMessage()) for record in caplog.records) < 400


@pytest.mark.trio
async def test_a_request_of_several_frames_is_none() -> None:
    async with serving() as service, asking(service) as client:
        await client.socket.send([request(300), request(300)])
        assert await client.receive() == ZEROS


@pytest.mark.trio
@pytest.mark.parametrize("nonce", [-1, -(1 << 40), (1 << 63) - 1, 1 << 64, 10**30])
async def test_any_integer_is_a_nonce(nonce: int) -> None:
    async with serving() as service:
        (reply,) = await ask(service, request(300, nonce=nonce))
    assert (reply["nonce"], reply["result"]) == (nonce, RESULT.SUCCESS)


@pytest.mark.trio
async def test_a_large_request_is_done_and_a_huge_one_costs_its_client_the_connection() -> None:
    async with serving(lambda request: SUCCESS) as service:
        (reply,) = await ask(service, request(300, data="x" * 10_000_000))
        assert reply["result"] == RESULT.SUCCESS
        async with asking(service) as client:
            await client.send(b" " * 17_000_000)
            with trio.move_on_after(0.3):
                pytest.fail(f"it was answered: {await client.receive()}")
        assert [reply["result"] for reply in await ask(service, request(300))] == [RESULT.SUCCESS]


@pytest.mark.trio
async def test_without_a_delegate_commands_are_unavailable_and_it_may_be_set_at_any_time() -> None:
    async with serving(None) as service, asking(service) as client:
        reply = await client.ask(request(300, nonce=2))
        assert (reply["nonce"], reply["command"], reply["result"]) == (2, 300, RESULT.UNAVAILABLE)
        assert reply["errorMessage"] is None
        service.command_request_delegate = delegate = Gated()
        assert service.command_request_delegate is delegate
        assert (await client.ask(request(300)))["result"] == RESULT.SUCCESS
        service.command_request_delegate = None
        assert (await client.ask(request(300)))["result"] == RESULT.UNAVAILABLE


@pytest.mark.trio
async def test_a_command_runs_on_with_the_delegate_that_began_it() -> None:
    delegate = Gated(400)
    async with serving(delegate, pending_after=10) as service, asking(service) as client:
        await client.send(request(400))
        await until(lambda: service.statistics().running)
        service.command_request_delegate = None
        delegate.gate.set()
        assert (await client.receive())["result"] == RESULT.SUCCESS


@pytest.mark.trio
async def test_a_delegate_may_see_to_the_end_itself() -> None:
    async def delegate(request: ApiCommandRequest) -> Response:
        await trio.sleep(0.05 if request.nonce == 2 else 0)
        return Response(RESULT.PENDING_WITH_NOTIFICATION)

    async with serving(delegate, pending_after=0.01) as service, subscribed(service, 6001) as events:
        replies = await ask(service, request(400, nonce=1), request(400, nonce=2))
        assert [reply["result"] for reply in replies] == [201, 201]
        await until(lambda: not service.statistics().running)
        service.send_command_result(Response(RESULT.SUCCESS, None, 0, None, ApiCommand.GET_STATUS, 2))
        assert (await events.receive())[1]["nonce"] == 2
        assert service.statistics().results == 0


class Hostile(Mapping[str, object]):
    """Data that raise when they are looked at."""

    def __getitem__(self, key: str) -> object:
        raise RuntimeError("planted")

    def __iter__(self) -> Any:
        raise RuntimeError("planted")

    def __len__(self) -> int:
        return 1


def endless() -> list[object]:
    loop: list[object] = []
    loop.append(loop)
    return loop


@pytest.mark.trio
@pytest.mark.parametrize("make", [object, Hostile, endless, lambda: {"a": {1, 2}}, lambda: "\udcff"])
@pytest.mark.parametrize("late", [False, True])
async def test_data_that_cannot_be_sent_are_left_out_and_the_client_is_told(
    make: Callable[[], object], late: bool
) -> None:
    async def delegate(request: ApiCommandRequest) -> Response:
        if late:
            await trio.sleep(0.02)
        return Response(RESULT.SUCCESS, make())

    async with (
        serving(delegate, pending_after=0 if late else 10) as service,
        subscribed(service, 6001) as events,
    ):
        (reply,) = await ask(service, request(400, nonce=4))
        if late:
            assert reply["result"] == RESULT.PENDING_WITH_NOTIFICATION
            _, reply = await events.receive()
        else:
            assert reply["errorKind"] == 1
        assert (reply["result"], reply["nonce"], reply["data"]) == (RESULT.SUCCESS, 4, None)
        assert reply["errorMessage"]
        assert len(await ask(service, request(300))) == 1


@pytest.mark.trio
async def test_an_answer_goes_back_through_a_proxy() -> None:
    async with serving() as service, ZeroMQSocket(Kind.ROUTER) as front, ZeroMQSocket(Kind.DEALER) as back:
        url = await front.bind("tcp://127.0.0.1:*")
        await back.connect(service.urls.commands)

        async def forward(source: ZeroMQSocket, target: ZeroMQSocket) -> None:
            while True:
                await target.send(await source.receive())

        async with trio.open_nursery() as nursery, ZeroMQSocket(Kind.REQ, linger=0) as socket:
            nursery.start_soon(forward, front, back)
            nursery.start_soon(forward, back, front)
            await socket.connect(url)
            assert (await Client(socket).ask(request(300, nonce=6)))["nonce"] == 6
            nursery.cancel_scope.cancel()
