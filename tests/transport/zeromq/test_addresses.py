from __future__ import annotations

import os
import socket as sockets
import stat
from pathlib import Path

import pytest
import trio
from hypothesis import given, strategies as st

from aip_trio.errors import AddressInUse, CannotListen, InvalidUrl
from aip_trio.transport.zeromq import Kind, ZeroMQSocket
from aip_trio.transport.zeromq._address import Address
from tests.transport.zeromq.joined import SCHEMES, address

BAD = [
    None,
    b"tcp://127.0.0.1:1",
    "",
    "127.0.0.1:5556",
    "tcp://",
    "tcp://127.0.0.1",
    "tcp://:5556",
    "tcp://127.0.0.1:",
    "tcp://127.0.0.1:99999",
    "tcp://127.0.0.1:-1",
    "tcp://127.0.0.1:http",
    "tcp://127.0.0.1:٣",
    "udp://127.0.0.1:1",
    "ws://127.0.0.1:1",
    "ipc://",
    "ipc:///a\0b",
    "ipc:///\udc80",
    "inproc://\udc80",
    "tcp://\udc80:1",
    "ipc:///" + "x" * 120,
    "inproc://",
]


@pytest.mark.trio
@pytest.mark.parametrize("url", BAD)
async def test_what_is_no_address_is_refused(url: str) -> None:
    async with ZeroMQSocket(Kind.DEALER) as socket:
        for call in (socket.bind, socket.connect):
            with pytest.raises(InvalidUrl, match="give"):
                await call(url)


@pytest.mark.trio
@pytest.mark.parametrize("url", ["tcp://*:5556", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0", "ipc://*"])
async def test_an_address_for_listening_is_not_connected_to(url: str) -> None:
    async with ZeroMQSocket(Kind.DEALER) as socket:
        with pytest.raises(InvalidUrl):
            await socket.connect(url)


@pytest.mark.trio
async def test_a_name_inside_the_process_may_be_long() -> None:
    async with ZeroMQSocket(Kind.PAIR) as here, ZeroMQSocket(Kind.PAIR) as there:
        await there.connect(await here.bind("inproc://" + "x" * 300))
        await there.send([b"hello"])
        assert await here.receive() == [b"hello"]


@given(st.text(max_size=60) | st.text(max_size=60).map("tcp://".__add__))
def test_an_address_is_parsed_or_refused(url: str) -> None:
    for listening in (True, False):
        try:
            parsed = Address.parse(url, listening=listening)
        except InvalidUrl:
            continue
        assert parsed.scheme in SCHEMES
        assert 0 <= parsed.port <= 65535
        assert Address.parse(parsed.wire, listening=True).host == parsed.host


@pytest.mark.trio
@pytest.mark.parametrize("port", ["*", "0"])
async def test_a_port_is_picked(port: str) -> None:
    async with ZeroMQSocket(Kind.ROUTER) as socket:
        one, two = await socket.bind(f"tcp://127.0.0.1:{port}"), await socket.bind(f"tcp://127.0.0.1:{port}")
        assert one != two
        assert int(one.rpartition(":")[2]) > 0


@pytest.mark.trio
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_address_that_is_listened_at_is_in_use(scheme: str, tmp_path: Path) -> None:
    async with ZeroMQSocket(Kind.PULL) as first, ZeroMQSocket(Kind.PULL) as second:
        url = await first.bind(address(scheme, tmp_path))
        with pytest.raises(AddressInUse, match="in use: stop what listens there"):
            await second.bind(url)
        # The first has not noticed.
        async with ZeroMQSocket(Kind.PUSH) as push:
            await push.connect(url)
            await push.send([b"still here"])
            assert await first.receive() == [b"still here"]


@pytest.mark.trio
@pytest.mark.parametrize(
    "url", ["tcp://192.0.2.1:5556", "tcp://nosuchinterface:5556", "ipc:///nowhere/at/all"]
)
async def test_where_the_system_does_not_let_us_listen(url: str) -> None:
    async with ZeroMQSocket(Kind.PULL) as socket:
        with pytest.raises(CannotListen, match=r"cannot listen on .*: [A-Z]"):
            await socket.bind(url)


@pytest.mark.trio
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_address_can_be_left(scheme: str, tmp_path: Path) -> None:
    async with ZeroMQSocket(Kind.PULL) as first, ZeroMQSocket(Kind.PULL) as second:
        url = await first.bind(address(scheme, tmp_path))
        await first.unbind(url)
        with trio.fail_after(5):
            while True:  # libzmq stops listening in a thread of its own
                try:
                    await second.bind(url)
                except AddressInUse:
                    await trio.sleep(0.01)
                else:
                    break


@pytest.mark.trio
async def test_what_was_not_connected_cannot_be_disconnected() -> None:
    async with ZeroMQSocket(Kind.DEALER) as socket:
        with pytest.raises(InvalidUrl):
            await socket.disconnect("tcp://127.0.0.1:9")
        await socket.connect("tcp://127.0.0.1:9")
        await socket.disconnect("tcp://127.0.0.1:9")


@pytest.mark.trio
async def test_a_socket_can_be_connected_before_anybody_listens(tmp_path: Path) -> None:
    for scheme in ("ipc", "inproc"):
        url = address(scheme, tmp_path)
        async with ZeroMQSocket(Kind.PUSH) as push, ZeroMQSocket(Kind.PULL) as pull:
            await push.connect(url)
            await push.send([b"early"])
            await pull.bind(url)
            with trio.fail_after(5):
                assert await pull.receive() == [b"early"]


@pytest.mark.trio
async def test_a_file_is_its_owners_alone_and_goes_with_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    old = os.umask(0)
    try:
        async with ZeroMQSocket(Kind.PULL) as socket:
            assert await socket.bind(f"ipc://{path}") == f"ipc://{path}"
            status = path.lstat()
            assert stat.S_ISSOCK(status.st_mode)
            assert stat.S_IMODE(status.st_mode) == 0o600
    finally:
        os.umask(old)
    assert not path.exists()


@pytest.mark.trio
async def test_a_file_that_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    left = sockets.socket(sockets.AF_UNIX)
    left.bind(str(path))
    left.close()
    assert path.exists()
    async with ZeroMQSocket(Kind.PULL) as pull, ZeroMQSocket(Kind.PUSH) as push:
        await push.connect(await pull.bind(f"ipc://{path}"))
        await push.send([b"hello"])
        assert await pull.receive() == [b"hello"]


@pytest.mark.trio
async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    async with ZeroMQSocket(Kind.PULL) as socket:
        with pytest.raises(CannotListen, match="no socket"):
            await socket.bind(f"ipc://{path}")
    assert path.read_text() == "data"


@pytest.mark.trio
async def test_a_file_that_another_has_put_there_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with ZeroMQSocket(Kind.PULL) as first, ZeroMQSocket(Kind.PULL) as second:
        await first.bind(f"ipc://{path}")
        path.unlink()
        await second.bind(f"ipc://{path}")
        await first.close()
        assert path.exists()


@pytest.mark.trio
async def test_names_without_a_file_and_files_that_are_picked(tmp_path: Path) -> None:
    async with ZeroMQSocket(Kind.PULL) as pull, ZeroMQSocket(Kind.PUSH) as push:
        named = await pull.bind(f"ipc://@{tmp_path}")
        assert named == f"ipc://@{tmp_path}"
        picked = await pull.bind("ipc://*")
        for url in (named, picked):
            await push.connect(url)
            await push.send([b"hello"])
            assert await pull.receive() == [b"hello"]
            await push.disconnect(url)
    assert not os.path.exists(picked.removeprefix("ipc://"))  # noqa: ASYNC240 - it takes no time


@pytest.mark.trio
@pytest.mark.skipif(not sockets.has_ipv6, reason="needs IPv6")
async def test_ipv6() -> None:
    async with ZeroMQSocket(Kind.PULL) as pull, ZeroMQSocket(Kind.PUSH) as push:
        try:
            url = await pull.bind("tcp://[::1]:*")
        except CannotListen:
            pytest.skip("no IPv6 here")
        assert url.startswith("tcp://[::1]:")
        await push.connect(url)
        await push.send([b"hello"])
        assert await pull.receive() == [b"hello"]
