"""One way: the messages, who sends them (`benchmarks._far` calls it), and the times of who gets them."""

from __future__ import annotations

import asyncio
import time

import trio

from aip_trio.actors import open_system
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Codec,
    Format,
    Result,
    ResultStatus,
    TaskStatus,
)
from aip_trio.protocol import open_link
from aip_trio.transport import AdapterName, Transport, WebSocketTransport
from benchmarks._clock import processor_time
from benchmarks._harness import Measures

__all__ = ["FORMATS", "Flow", "message", "send_over_link", "send_with_pydantic"]

FORMATS = {"aip.v2+json": Format.JSON, "aip.v2+msgpack": Format.MSGPACK}

#: The first part of them only warms up.
_WARM = 0.2


class Flow:
    """Times how many come."""

    def __init__(self, work: int) -> None:
        self._warm = int(work * _WARM)
        self._left = work
        self._timed = work - self._warm
        self._began = self._spent = self._seconds = 0.0

    def came(self, messages: int) -> bool:
        """So many more. Whether they were the last."""
        before, self._left = self._left, self._left - messages
        if before > self._timed >= self._left:
            self._timed = self._left
            self._began, self._spent = time.perf_counter(), processor_time()
        if self._left > 0:
            return False
        self._seconds = time.perf_counter() - self._began
        self._spent = processor_time() - self._spent
        return True

    def measures(self) -> Measures:
        """Their rate, and what one takes of both processors, in microseconds."""
        messages = max(1, self._timed)
        return {"rate": messages / self._seconds, "cpu": self._spent / messages * 1e6}


def message(number: int) -> ClientMessage:
    """What came of a command."""
    return ClientMessage(
        type=ClientMessageType.COMMAND_RESULTS,
        status=TaskStatus.CONTINUE,
        session_id="session_123",
        client_id="dev",
        prev_response_id="resp_456",
        request_id=str(number),
        action_results=[Result(status=ResultStatus.SUCCESS, result={"clicked": True}, call_id="cmd_001")],
    )


def send_over_link(port: int, adapter: AdapterName, subprotocol: str, count: str) -> None:
    """Each message made, encoded and handed to the link; one that has no room waits."""

    async def dial() -> Transport:
        transport = WebSocketTransport(adapter=adapter)
        await transport.connect(f"ws://127.0.0.1:{port}/ws", subprotocols=[subprotocol])
        return transport

    async def main() -> None:
        codec = Codec(ClientMessage, format=FORMATS[subprotocol])
        async with open_system():
            link = await open_link(dial)
            for number in range(int(count)):
                data = codec.encode(message(number))
                try:
                    link.send_nowait(data)
                except trio.WouldBlock:
                    await link.send(data)
            await trio.sleep_forever()

    trio.run(main)


def send_with_pydantic(port: int, _: str, __: str, count: str) -> None:
    """`websockets` on asyncio, and pydantic's classes: one message for each frame."""
    from websockets.asyncio.client import connect

    from benchmarks import _pydantic

    def packed(number: int) -> str:
        result = _pydantic.Result(status=ResultStatus.SUCCESS, result={"clicked": True}, call_id="cmd_001")
        wide = _pydantic.ClientMessage(
            type=ClientMessageType.COMMAND_RESULTS,
            status=TaskStatus.CONTINUE,
            session_id="session_123",
            client_id="dev",
            prev_response_id="resp_456",
            request_id=str(number),
            action_results=[result],
        )
        return str(wide.model_dump_json())

    async def main() -> None:
        async with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as websocket:
            for number in range(int(count)):
                await websocket.send(packed(number))
            await asyncio.sleep(60)

    asyncio.run(main())
