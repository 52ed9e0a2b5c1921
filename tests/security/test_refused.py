"""What a client does that a server does not want: it says so once, and asks less and less often."""

import logging
from itertools import pairwise

import pytest
import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import ClientState, DeviceClientEndpoint
from aip_trio.endpoints.connection._refusals import Refusals, Wary
from aip_trio.errors import HandshakeRefused, RegistrationRefused
from aip_trio.resilience import Backoff, ReconnectionStrategy
from aip_trio.transport import MemoryNetwork
from tests.endpoints.memory import Arrivals, virtual
from tests.endpoints.support import Worker, quick, serving, until

NO_TOKEN = HandshakeRefused("ws://server/ws", 401, "the header is missing")
TAKEN = RegistrationRefused("dev-1", "client_id 'dev-1' is connected already, and alive")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Of the endpoints, about refusals."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and "asked again" in record.getMessage()
    ]


def test_the_waits_grow_with_each_refusal_to_a_minute() -> None:
    refusals = Refusals()
    wary = Wary.of(Backoff(initial=0.2, maximum=5.0, jitter=False), refusals)
    waits: list[float] = []
    for failures in range(1, 9):
        refusals.refused("dev-1", NO_TOKEN)
        waits.append(wary.delay(failures, 0.999999))
        assert wary.ceiling(failures) >= wary.delay(failures, 0.5) >= wary.delay(failures, 0.0)
    assert waits == pytest.approx([0.2, 5, 10, 20, 40, 60, 60, 60], rel=1e-3)
    refusals.welcomed()
    assert wary.delay(1, 0.5) == pytest.approx(0.2)


def test_the_usual_backoff_counts_where_it_is_longer_and_its_limits_always() -> None:
    refusals = Refusals()
    usual = ReconnectionStrategy(3, initial_backoff=30.0, policy="linear_backoff", reset_after=7.0).backoff
    wary = Wary.of(usual, refusals)
    for failures in (1, 2, 3):
        assert wary.delay(failures, 0.5) == usual.delay(failures, 0.5)
        assert wary.ceiling(failures) == usual.ceiling(failures)
        refusals.refused("dev-1", TAKEN)
    assert [wary.exhausted(failures) for failures in (3, 4)] == [False, True]
    assert [wary.healthy(seconds) for seconds in (6.9, 7.0)] == [False, True]


def test_each_reason_is_told_once_until_one_is_welcome(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for error in (NO_TOKEN, NO_TOKEN, TAKEN, TAKEN, NO_TOKEN):
        refusals.refused("dev-1", error)
    assert len(warnings(caplog)) == 3
    refusals.welcomed()
    refusals.refused("dev-1", NO_TOKEN)
    told = warnings(caplog)
    assert len(told) == 4
    assert "401" in told[0]
    assert "give it the server's token" in told[0]
    assert "another client has this name" in told[1]


@pytest.mark.trio
async def test_a_wrong_token_is_told_once_and_the_right_one_gets_in(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(token="s3cret") as server:
        endpoint = DeviceClientEndpoint(
            server.url, Worker(), token="wr0ng", reconnection_strategy=quick(None)
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            await until(lambda: server.statistics().refused.get("token") == 2)
            await trio.sleep(0.3)
            assert server.statistics().refused == {"token": 2}  # by its own strategy it were ten
            assert endpoint.lifecycle.state is ClientState.CONNECTING
            nursery.cancel_scope.cancel()
        (told,) = warnings(caplog)
        assert "401" in told
        assert "wr0ng" not in caplog.text
        assert "s3cret" not in caplog.text


def test_a_device_whose_name_is_taken_asks_less_and_less_often(caplog: pytest.LogCaptureFixture) -> None:
    @virtual
    async def test() -> None:
        network = MemoryNetwork()
        tries: list[float] = []
        async with open_system() as system:
            plain = Arrivals(network)
            await plain.open(system.nursery)
            endpoint = DeviceClientEndpoint(
                plain.url, Worker(), reconnection_strategy=quick(None), make_transport=network.transport
            )

            async def refuse() -> None:
                while True:
                    client = await plain.accept()
                    tries.append(trio.current_time())
                    await client.receive("register")
                    await client.send("error", "error", error="client_id 'dev-1' is connected already")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(refuse)
                nursery.start_soon(endpoint.start)
                await trio.sleep(600)
                nursery.cancel_scope.cancel()
        gaps = [after - before for before, after in pairwise(tries)]
        assert gaps[0] < 0.2
        assert all(2.5 <= gap <= 60 for gap in gaps[1:])
        assert all(30 <= gap <= 60 for gap in gaps[5:])
        assert 12 < len(tries) < 28

    test()
    (told,) = warnings(caplog)
    assert "connected already" in told


@pytest.mark.trio
async def test_who_asks_once_is_told_by_the_error_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(token="s3cret") as server:
        endpoint = DeviceClientEndpoint(server.url, Worker(), reconnection_strategy=quick(0))
        with pytest.raises(HandshakeRefused):
            await endpoint.start()
    assert not warnings(caplog)
