from __future__ import annotations

import attrs
import pytest
import trio
import zmq
from hypothesis import given, strategies as st
from zmq.utils import z85

from aip_trio.errors import CurveMissing, InvalidKey, InvalidSpec
from aip_trio.transport.zeromq import (
    Curve,
    CurveClient,
    CurveKeys,
    CurveServer,
    HandshakeFailed,
    HandshakeSucceeded,
    Kind,
    Monitor,
    ZeroMQSocket,
)
from aip_trio.transport.zeromq._zap import answer

SERVER, CLIENT, STRANGER = (CurveKeys.generate() for _ in range(3))
LETS_CLIENT_IN = CurveServer(SERVER.secret, [CLIENT.public])
OF_CLIENT = CurveClient(SERVER.public, CLIENT.secret)


async def outcome(events: Monitor) -> object:
    with trio.fail_after(5):
        async for event in events:
            if isinstance(event, (HandshakeSucceeded, HandshakeFailed)):
                return event
    raise AssertionError


@attrs.define
class Meeting:
    """What becomes of a client at a server."""

    server: object = None
    client: object = None
    key: str | None = None


async def meet(server: Curve | None, client: Curve | None) -> Meeting:
    meeting = Meeting()
    async with (
        ZeroMQSocket(Kind.ROUTER, curve=server, linger=0) as router,
        ZeroMQSocket(Kind.DEALER, curve=client, linger=0, reconnect=None) as dealer,
        router.monitor() as there,
        dealer.monitor() as here,
    ):
        await dealer.connect(await router.bind("tcp://127.0.0.1:*"))
        meeting.client, meeting.server = await outcome(here), await outcome(there)
        with trio.move_on_after(5 if isinstance(meeting.server, HandshakeSucceeded) else 0.05):
            await dealer.send([b"hello"])
            meeting.key = (await router.receive_with_peer()).peer.key
    return meeting


@pytest.mark.trio
async def test_a_client_whose_key_is_known_is_let_in_and_named() -> None:
    meeting = await meet(LETS_CLIENT_IN, OF_CLIENT)
    assert isinstance(meeting.client, HandshakeSucceeded)
    assert isinstance(meeting.server, HandshakeSucceeded)
    assert meeting.key == CLIENT.public


@pytest.mark.trio
async def test_anybody_is_let_in_where_that_was_asked_for() -> None:
    meeting = await meet(
        CurveServer(SERVER.secret, allow_any=True), CurveClient(SERVER.public, STRANGER.secret)
    )
    assert meeting.key == STRANGER.public


@pytest.mark.trio
@pytest.mark.parametrize(
    ("server", "client", "there", "here"),
    [
        (LETS_CLIENT_IN, CurveClient(SERVER.public, STRANGER.secret), "not one of those", "not one of those"),
        (CurveServer(SERVER.secret), OF_CLIENT, "not one of those", "not one of those"),
        (LETS_CLIENT_IN, CurveClient(STRANGER.public, CLIENT.secret), "wrong CURVE key", "another CURVE key"),
        (LETS_CLIENT_IN, None, "the other does not", "the other does not"),
        (None, OF_CLIENT, "the other does not", "the other does not"),
    ],
    ids=["stranger", "nobody is let in", "another server's key", "client without", "server without"],
)
async def test_both_sides_see_why_somebody_is_not_let_in(
    server: Curve | None, client: Curve | None, there: str, here: str
) -> None:
    meeting = await meet(server, client)
    assert isinstance(meeting.server, HandshakeFailed)
    assert isinstance(meeting.client, HandshakeFailed)
    assert there in meeting.server.reason
    assert here in meeting.client.reason
    assert meeting.key is None


@pytest.mark.trio
async def test_each_socket_lets_in_its_own() -> None:
    async with (
        ZeroMQSocket(Kind.PULL, curve=LETS_CLIENT_IN) as one,
        ZeroMQSocket(Kind.PULL, curve=CurveServer(SERVER.secret, [STRANGER.public])) as two,
        ZeroMQSocket(Kind.PUSH, curve=OF_CLIENT, linger=0) as client,
        client.monitor() as events,
    ):
        await client.connect(await two.bind("tcp://127.0.0.1:*"))
        assert isinstance(await outcome(events), HandshakeFailed)
        await client.connect(await one.bind("tcp://127.0.0.1:*"))
        assert isinstance(await outcome(events), HandshakeSucceeded)


@pytest.mark.trio
async def test_a_socket_without_keys_asks_nobody() -> None:
    async with ZeroMQSocket(Kind.PULL, curve=LETS_CLIENT_IN):
        meeting = await meet(None, None)
        assert isinstance(meeting.server, HandshakeSucceeded)


def test_no_secret_is_shown() -> None:
    for each in (SERVER, LETS_CLIENT_IN, OF_CLIENT):
        for text in (repr(each), str(each)):
            assert SERVER.secret not in text
            assert CLIENT.secret not in text


def test_the_pair_of_a_secret_is_the_pair_that_was_generated() -> None:
    assert CurveKeys.of_secret(SERVER.secret) == SERVER
    assert CurveKeys.generate() != CurveKeys.generate()


@pytest.mark.parametrize("key", ["", "x" * 39, "x" * 41, "x" * 39 + "~", "é" * 40, b"x" * 40, None])
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    for make in (
        lambda: CurveServer(key),
        lambda: CurveServer(SERVER.secret, [key]),
        lambda: CurveClient(key, CLIENT.secret),
        lambda: CurveClient(SERVER.public, key),
        lambda: CurveKeys(SERVER.public, key),
        lambda: CurveKeys.of_secret(key),
    ):
        with pytest.raises(InvalidKey, match="give 40 characters") as refused:
            make()
        if key:
            assert str(key) not in str(refused.value)


def test_one_key_is_no_list_of_keys() -> None:
    with pytest.raises(InvalidKey, match="a list"):
        CurveServer(SERVER.secret, CLIENT.public)


def test_everybody_and_some_is_a_contradiction() -> None:
    with pytest.raises(InvalidSpec, match="allow_any"):
        CurveServer(SERVER.secret, [CLIENT.public], allow_any=True)


@pytest.mark.trio
async def test_a_libzmq_without_curve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def has(_: str) -> bool:
        return False

    monkeypatch.setattr(zmq, "has", has)
    for curve in (LETS_CLIENT_IN, OF_CLIENT):
        with pytest.raises(CurveMissing, match="has no CURVE: install"):
            ZeroMQSocket(Kind.DEALER, curve=curve)
    with pytest.raises(CurveMissing):
        CurveKeys.generate()


def request(door: bytes = b"door", mechanism: bytes = b"CURVE", key: str = CLIENT.public) -> list[bytes]:
    return [b"1.0", b"7", door, b"127.0.0.1", b"", mechanism, z85.decode(key)]


def test_the_doorkeeper_answers_for_each_door() -> None:
    doors = {"door": LETS_CLIENT_IN, "open": CurveServer(SERVER.secret, allow_any=True)}
    yes = [b"1.0", b"7", b"200", b"OK"]
    no = [b"1.0", b"7", b"400", b"not let in", b"", b""]
    assert answer(request(), doors) == [*yes, CLIENT.public.encode(), b""]
    assert answer(request(b"open", key=STRANGER.public), doors) == [*yes, STRANGER.public.encode(), b""]
    assert answer(request(key=STRANGER.public), doors) == no
    assert answer(request(b"shut"), doors) == no
    assert answer(request(mechanism=b"PLAIN"), doors) == no
    assert answer(request(mechanism=b"NULL")[:6], doors) == no


@given(st.lists(st.binary() | st.sampled_from([b"1.0", b"door", b"CURVE", b"k" * 32]), max_size=9))
def test_the_doorkeeper_lets_nobody_in_by_accident(frames: list[bytes]) -> None:
    reply = answer(frames, {"door": LETS_CLIENT_IN})
    assert len(reply) == 6
    assert reply[2] == b"400"
