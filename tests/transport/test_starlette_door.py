"""Whom `serve_asgi_websocket` lets in, and how a handler's end is told."""

from __future__ import annotations

import pytest

from aip_trio.errors import ConnectionLost, HandshakeRefused, InvalidSpec, UnknownWebSocket
from aip_trio.transport import Handshake, Refusal, WebSocketTransport, serve_asgi_websocket
from tests.transport.fake_asgi import FakeAsgi


async def nothing(transport: WebSocketTransport) -> None:
    pass


@pytest.mark.trio
async def test_a_handshake_tells_who_asks_for_what() -> None:
    asked: list[Handshake] = []
    fake = FakeAsgi(
        headers=[("Host", "LocalHost:80"), ("Cookie", "a"), ("cookie", "b")], subprotocols=["x", "y"]
    )
    await serve_asgi_websocket(nothing, fake.websocket, admit=asked.append)
    (handshake,) = asked
    assert (handshake.path, handshake.query, handshake.peer) == ("/ws", "a=1", "192.0.2.1:5")
    assert handshake.subprotocols == ("x", "y")
    assert handshake.header("Cookie") == "a, b"


@pytest.mark.trio
@pytest.mark.parametrize(
    ("offered", "chosen"), [([], None), (["x"], None), (["b", "a"], "a"), (["x", "b"], "b")]
)
async def test_the_first_of_the_servers_subprotocols_that_is_offered(
    offered: list[str], chosen: str | None
) -> None:
    fake = FakeAsgi(subprotocols=offered)
    agreed: list[str | None] = []

    async def handler(transport: WebSocketTransport) -> None:
        agreed.append(transport.subprotocol)
        assert transport.peer == "192.0.2.1:5"
        assert transport.websocket is not None

    await serve_asgi_websocket(handler, fake.websocket, subprotocols=["a", "b"])
    assert agreed == [chosen]
    assert fake.sent[0]["subprotocol"] == chosen
    assert fake.kinds == ["accept", "close"]
    assert fake.sent[-1]["code"] == 1000


@pytest.mark.trio
@pytest.mark.parametrize(
    ("headers", "server", "admitted"),
    [
        ([("Host", "localhost:8000")], ("127.0.0.1", 80), True),
        ([("Host", "[::1]:8000")], ("::1", 80), True),
        ([("Host", "evil.example")], ("127.0.0.1", 80), False),
        ([("Host", "evil.example")], ("127.8.8.8", 80), False),
        ([("Host", "localhost"), ("Host", "evil.example")], ("127.0.0.1", 80), False),
        ([], ("127.0.0.1", 80), False),
        ([("Host", "farm.example")], ("192.0.2.7", 80), True),
        ([("Host", "farm.example")], ("/run/app.sock", None), True),
        ([("Host", "farm.example")], None, True),
        ([("Host", "localhost"), ("Origin", "null")], ("127.0.0.1", 80), False),
        ([("Host", "localhost"), ("ORIGIN", "http://localhost")], ("127.0.0.1", 80), False),
        ([("Host", "localhost"), ("Origin", "https://ours.example")], ("127.0.0.1", 80), True),
    ],
)
async def test_hosts_and_origins(
    headers: list[tuple[str, str]], server: tuple[str, int | None] | None, admitted: bool
) -> None:
    fake = FakeAsgi(headers=headers, server=server)
    ours = ["https://ours.example"]
    if admitted:
        await serve_asgi_websocket(nothing, fake.websocket, allowed_origins=ours)
        assert fake.kinds == ["accept", "close"]
    else:
        with pytest.raises(HandshakeRefused) as refused:
            await serve_asgi_websocket(nothing, fake.websocket, allowed_origins=ours)
        assert refused.value.status == 403
        assert fake.kinds == ["http.response.start", "http.response.body"]


@pytest.mark.trio
async def test_a_refusal_goes_as_far_as_the_server_has_words_for_it() -> None:
    told: list[Refusal] = []

    def admit(_: Handshake) -> Refusal:
        return Refusal(401, "no tökén")

    async def refused(fake: FakeAsgi) -> HandshakeRefused:
        with pytest.raises(HandshakeRefused) as raised:
            await serve_asgi_websocket(nothing, fake.websocket, admit=admit, refused=told.append)
        return raised.value

    fake = FakeAsgi()
    assert (await refused(fake)).status == 401
    start, body = fake.sent
    assert (start["status"], body["body"].decode()) == (401, "no tökén")
    assert dict(start["headers"])[b"content-length"] == b"10"

    fake = FakeAsgi(denial=False)
    await refused(fake)
    assert fake.kinds == ["close"]

    fake = FakeAsgi()
    await fake.websocket.accept()
    await refused(fake)
    assert fake.kinds == ["accept", "close"]
    assert (fake.sent[-1]["code"], fake.sent[-1]["reason"]) == (1008, "no tökén")
    assert told == [Refusal(401, "no tökén")] * 3


@pytest.mark.trio
async def test_who_cannot_be_judged_is_not_let_in(caplog: pytest.LogCaptureFixture) -> None:
    def admit(_: Handshake) -> None:
        raise ZeroDivisionError

    fake = FakeAsgi()
    with pytest.raises(HandshakeRefused) as refused:
        await serve_asgi_websocket(nothing, fake.websocket, admit=admit)
    assert refused.value.status == 500
    assert "admit crashed" in caplog.text


@pytest.mark.trio
async def test_one_that_has_gone_before_it_was_accepted_is_a_loss() -> None:
    gone = FakeAsgi()
    await gone._out.receive()
    gone.hang_up()
    with pytest.raises(ConnectionLost, match="ASGI server"):
        await serve_asgi_websocket(nothing, gone.websocket)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("error", "code"), [(ZeroDivisionError(), 1011), (ExceptionGroup("", [KeyError()]), 1011), (None, 1000)]
)
async def test_the_end_of_a_handler_is_told(
    error: Exception | None, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(transport: WebSocketTransport) -> None:
        await transport.send(b"hello")
        if error is not None:
            raise error

    fake = FakeAsgi()
    await serve_asgi_websocket(handler, fake.websocket)
    assert fake.texts == ["hello"]
    assert fake.sent[-1]["code"] == code
    assert ("crashed" in caplog.text) is (error is not None)


@pytest.mark.trio
async def test_a_loss_that_the_handler_did_not_catch_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(transport: WebSocketTransport) -> None:
        await transport.receive()

    fake = FakeAsgi()
    fake.hang_up()
    await serve_asgi_websocket(handler, fake.websocket)
    assert fake.kinds == ["accept"]
    assert not caplog.records


@pytest.mark.trio
@pytest.mark.parametrize("websocket", ["text", None, WebSocketTransport()], ids=["text", "None", "ours"])
async def test_what_is_none_of_starlettes_is_refused(websocket: object) -> None:
    with pytest.raises(UnknownWebSocket):
        await serve_asgi_websocket(nothing, websocket)


@pytest.mark.trio
async def test_bad_arguments_are_refused_before_anything_is_accepted() -> None:
    fake = FakeAsgi()
    with pytest.raises(InvalidSpec):
        await serve_asgi_websocket(nothing, fake.websocket, ping_interval=0)
    with pytest.raises(InvalidSpec):
        await serve_asgi_websocket(nothing, fake.websocket, max_size=0)
    with pytest.raises(InvalidSpec):
        await serve_asgi_websocket(nothing, fake.websocket, subprotocols="ab")
    assert fake.kinds == []
