"""A plain peer: speaks AIP over trio-websocket in raw JSON objects, and knows nothing of our classes.

Written from the wire's description alone, so that both ends of ours are held to it, and not to each other.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias, cast
from urllib.parse import urlsplit

import trio
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    wrap_client_stream,
    wrap_server_stream,
)
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, Request, TextMessage

__all__ = ["Ended", "Frame", "Mute", "Peer", "PlainServer", "Wire", "device", "orchestrator", "peer"]

Frame: TypeAlias = dict[str, Any]


class Ended(Exception):
    """The connection has: with this code, 1006 where no close frame came."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Wire(Protocol):
    """What carries frames."""

    async def send(self, frame: str | bytes) -> None: ...

    async def receive(self) -> str | bytes:
        """Raises Ended."""
        ...

    async def close(self, code: int) -> None: ...

    async def cut(self) -> None:
        """End it without a word, as the end of a process that is killed."""
        ...


class WebSocketWire:
    """A connection of trio-websocket's."""

    def __init__(self, websocket: WebSocketConnection, stream: trio.abc.Stream) -> None:
        self.websocket = websocket
        self._stream = stream

    async def send(self, frame: str | bytes) -> None:
        await self.websocket.send_message(frame)

    async def receive(self) -> str | bytes:
        try:
            return await self.websocket.get_message()
        except ConnectionClosed as end:
            raise Ended(1006 if end.reason is None else int(end.reason.code)) from None

    async def close(self, code: int) -> None:
        await self.websocket.aclose(code)

    async def cut(self) -> None:
        await trio.aclose_forcefully(self._stream)


def _whole(result: object) -> Frame:
    """A result as it is, or a success with this value."""
    return cast("Frame", result) if isinstance(result, dict) else {"status": "success", "result": result}


class Peer:
    """One end of a connection."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def send(self, kind: str, status: str = "ok", **fields: Any) -> None:
        await self.wire.send(json.dumps({"type": kind, "status": status, **fields}))

    async def receive(self, kind: str | None = None) -> Frame:
        """The next frame, null fields left out; it has to be of this type."""
        data = await self.wire.receive()
        assert isinstance(data, str), f"a binary frame: {data!r}"
        frame = {name: value for name, value in json.loads(data).items() if value is not None}
        assert kind in (None, frame["type"]), f"{kind} was due, not {frame}"
        return frame

    async def register(self, client_id: str, client_type: str = "device", **fields: Any) -> Frame:
        """As wire/aip.md 1 has it: the answer of who accepts is a heartbeat."""
        await self.send("register", client_id=client_id, client_type=client_type, **fields)
        answer = await self.receive("heartbeat")
        assert answer["status"] == "ok"
        assert answer["response_id"]
        return answer

    async def heartbeat(self, **fields: Any) -> Frame:
        """Ask for a sign of life; what comes first has to be that."""
        await self.send("heartbeat", **fields)
        answer = await self.receive("heartbeat")
        assert answer["status"] == "ok"
        return answer

    async def refused(self, *, closed: bool = False) -> str:
        """The reason in the `error` that has to come next, and, with ``closed``, the end after it."""
        frame = await self.receive("error")
        assert frame["status"] == "error"
        if closed:
            assert await self.closed() == 1000
        return str(frame["error"])

    async def command(self, session_id: str | None = None) -> Frame:
        """The commands that have to come next."""
        frame = await self.receive("command")
        assert frame["status"] == "continue"
        assert session_id in (None, frame["session_id"])
        assert frame["response_id"]
        return frame

    async def answer(self, command: Frame, *results: object, **fields: Any) -> None:
        """Results of commands, in their order: each a success with this value, or a whole result."""
        whole = [
            {"call_id": action["call_id"], **_whole(it)}
            for action, it in zip(command["actions"], results, strict=True)
        ]
        message = {"session_id": command["session_id"], "prev_response_id": command["response_id"]}
        await self.send("command_results", "continue", action_results=whole, **{**message, **fields})

    async def ask(self, session_id: str | None, target: str | None, *tools: str, **fields: Any) -> None:
        """Ask for a task of an orchestrator: these tools, one after another, without parameters."""
        metadata = {"commands": [{"tool_name": tool} for tool in tools]}
        await self.send(
            "task",
            "continue",
            client_type="constellation",
            target_id=target,
            session_id=session_id,
            **{"request": "do it", "task_name": "a task", "metadata": metadata, **fields},
        )

    async def end(self, session_id: str | None = None) -> Frame:
        """The word that a task has ended, which has to come next."""
        frame = await self.receive("task_end")
        assert session_id in (None, frame["session_id"])
        assert frame["status"] in ("completed", "failed")
        return frame

    async def closed(self) -> int:
        """Nothing more has to come but the end of the connection: its code."""
        try:
            frame = await self.wire.receive()
        except Ended as end:
            return end.code
        raise AssertionError(f"the end was due, not {frame!r}")

    async def rest(self) -> tuple[list[Frame], int]:
        """All that still comes, and the code of the end."""
        frames: list[Frame] = []
        while True:
            try:
                frames.append(await self.receive())
            except Ended as end:
                return frames, end.code

    async def close(self, code: int = 1000) -> None:
        """Leave in order."""
        await self.wire.close(code)

    async def cut(self) -> None:
        """Leave without a word."""
        await self.wire.cut()


@asynccontextmanager
async def peer(url: str, *, headers: Sequence[tuple[str, str]] = ()) -> AsyncGenerator[Peer]:
    """A client's connection, not registered yet."""
    where = urlsplit(url)
    extra = [(name.encode(), value.encode()) for name, value in headers]
    async with trio.open_nursery() as nursery:
        async with await trio.open_tcp_stream(where.hostname or "", where.port or 0) as stream:
            websocket = await wrap_client_stream(
                nursery, stream, where.netloc, where.path, extra_headers=extra
            )
            yield Peer(WebSocketWire(websocket, stream))
            with trio.move_on_after(1):
                await websocket.aclose()


@asynccontextmanager
async def device(url: str, client_id: str = "dev-1", **fields: Any) -> AsyncGenerator[Peer]:
    """A registered device."""
    async with peer(url) as connection:
        await connection.register(client_id, **fields)
        yield connection


@asynccontextmanager
async def orchestrator(
    url: str, client_id: str = "orch", target: str | None = "dev-1", **fields: Any
) -> AsyncGenerator[Peer]:
    """A registered constellation."""
    async with peer(url) as connection:
        await connection.register(client_id, "constellation", target_id=target, **fields)
        yield connection


class PlainServer:
    """Listens on the loopback; the test decides what each connection is told."""

    def __init__(self, port: int, arrivals: trio.MemoryReceiveChannel[Peer]) -> None:
        self.url = f"ws://127.0.0.1:{port}/ws"
        self._arrivals = arrivals

    async def accept(self) -> Peer:
        """The next connection."""
        return await self._arrivals.receive()

    async def registered(self) -> tuple[Peer, Frame]:
        """The next connection, accepted, and what it registered as."""
        client = await self.accept()
        register = await client.receive("register")
        await client.send("heartbeat", response_id="welcome")
        return client, register

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int = 0) -> AsyncGenerator["PlainServer"]:
        send, receive = trio.open_memory_channel[Peer](100)

        async def serve(stream: trio.SocketStream) -> None:
            async with trio.open_nursery() as nursery:
                request = await wrap_server_stream(nursery, stream)
                await send.send(Peer(WebSocketWire(await request.accept(), stream)))

        (listener,) = await trio.open_tcp_listeners(port, host="127.0.0.1")
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, serve, [listener])
            yield cls(listener.socket.getsockname()[1], receive)
            nursery.cancel_scope.cancel()


class Mute:
    """A client whose process stands still once it has registered: its socket is open, and nobody reads it."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._protocol = WSConnection(ConnectionType.CLIENT)

    async def _say(self, event: Event) -> bytes:
        """Send, and wait for something to come back."""
        await self.stream.send_all(self._protocol.send(event))
        return bytes(await self.stream.receive_some(65536))

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, client_id: str, client_type: str = "device", **fields: Any
    ) -> AsyncGenerator["Mute"]:
        where = urlsplit(url)
        register = {"type": "register", "status": "ok", "client_id": client_id, "client_type": client_type}
        async with await trio.open_tcp_stream(where.hostname or "", where.port or 0) as stream:
            mute = cls(stream)
            mute._protocol.receive_data(await mute._say(Request(host=where.netloc, target=where.path)))
            assert any(isinstance(event, AcceptConnection) for event in mute._protocol.events())
            assert b"heartbeat" in await mute._say(TextMessage(data=json.dumps({**register, **fields})))
            yield mute
