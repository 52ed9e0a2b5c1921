"""One server and its idle devices: what each costs while all send heartbeats, and one runs commands.

However many there are, as many heartbeats come in a second as from 5,000 devices that send one each 20 s.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import DeviceServerEndpoint, Session
from aip_trio.messages import MAX_SIZE, ServerMessageType, TaskStatus
from aip_trio.transport import AdapterName
from benchmarks._crowd import Crowd, crowd
from benchmarks._far import far
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target, resident, timed
from benchmarks._near import COMMAND, begin

__all__ = ["ROW"]

#: Heartbeats in a second.
RATE = 250.0
#: Seconds between the commands of the one task that runs.
PACE = 0.005
#: Devices that were there before the memory is measured: what the first of all needs is not each one's.
FIRST = 5


#: Calls what blocks, while the server goes on.
InThread: TypeAlias = Callable[[Callable[[], Measures]], Awaitable[Measures]]


class Stream:
    """Commands, one each `PACE` seconds: how long they take."""

    def __init__(self) -> None:
        self.on = True
        self._times: list[float] = []

    def took(self, seconds: float) -> None:
        """One more."""
        self._times.append(seconds)

    def begin(self) -> None:
        """What came before only warmed up."""
        self._times.clear()

    def measures(self) -> Measures:
        """Milliseconds."""
        times = sorted(self._times) or [0.0]
        return {f"command_p{part}": times[len(times) * part // 100] * 1e3 for part in (50, 99)}


def ours(load: Load, adapter: AdapterName = "native") -> Measures:
    """The endpoint: three supervised actors for each device."""
    stream = Stream()

    async def task(session: Session) -> None:
        while stream.on:
            began = time.perf_counter()
            await session.execute(COMMAND)
            stream.took(time.perf_counter() - began)
            await trio.sleep(PACE)

    async def main() -> Measures:
        async with open_system():
            server = DeviceServerEndpoint(port=0, task=task, adapter=adapter)
            await server.start()
            with far("endpoint", server.port, "native"):
                await begin(server)
                measures = await _observe(server.port, load, stream, trio.to_thread.run_sync)
                stream.on = False
                await trio.sleep(10 * PACE)  # for the last answer
            await server.stop()
        return measures

    return trio.run(main)


def pydantic(load: Load) -> Measures:
    """A registry of clients as one writes it: a coroutine and an entry in a dict for each."""
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.exceptions import ConnectionClosed
    from websockets.protocol import State

    from benchmarks import _pydantic

    stream = Stream()
    clients: dict[str, ServerConnection] = {}
    acknowledged = ServerMessageType.HEARTBEAT
    began_to_talk = asyncio.Event()

    async def handle(websocket: ServerConnection) -> None:
        if websocket.request is not None and websocket.request.path == "/stream":
            await _commands(websocket)
            return
        register = _pydantic.ClientMessage.model_validate_json(await websocket.recv())
        clients[register.client_id] = websocket
        try:
            await _acknowledge(websocket)
            async for frame in websocket:
                _pydantic.ClientMessage.model_validate_json(frame)
                await _acknowledge(websocket)
        except ConnectionClosed:  # the crowd has gone, and says no goodbye
            pass
        finally:
            del clients[register.client_id]

    async def _acknowledge(websocket: ServerConnection) -> None:
        message = _pydantic.ServerMessage(type=acknowledged, status=TaskStatus.OK)
        await websocket.send(message.model_dump_json())

    async def _commands(websocket: ServerConnection) -> None:
        command = _pydantic.Command(tool_name=COMMAND.tool_name, tool_type=COMMAND.tool_type, call_id="1")
        kind = ServerMessageType.COMMAND
        began_to_talk.set()
        while stream.on and websocket.state is State.OPEN:
            began = time.perf_counter()
            message = _pydantic.ServerMessage(type=kind, status=TaskStatus.CONTINUE, actions=[command])
            await websocket.send(message.model_dump_json())
            _pydantic.ClientMessage.model_validate_json(await websocket.recv())
            stream.took(time.perf_counter() - began)
            await asyncio.sleep(PACE)

    async def main() -> Measures:
        async with serve(handle, "127.0.0.1", 0, compression=None, max_size=MAX_SIZE) as server:
            port = server.sockets[0].getsockname()[1]
            with far("pydantic", port, "stream"):
                await began_to_talk.wait()
                measures = await _observe(port, load, stream, asyncio.to_thread)
                stream.on = False
                await asyncio.sleep(10 * PACE)  # for the last answer
        return measures

    return asyncio.run(main())


async def _observe(port: int, load: Load, stream: Stream, in_thread: InThread) -> Measures:
    """Have the devices come, and watch this process while they are there."""
    with crowd(port, FIRST) as first:
        await in_thread(first.registered)
        await in_thread(partial(first.beat, FIRST, RATE))
    with crowd(port, load.actors) as devices:
        before = resident()
        registered = await in_thread(devices.registered)
        await in_thread(partial(devices.beat, load.actors, 4 * RATE))
        with timed() as again:  # what came before is collected: here it is nobody's cost
            gc.collect()
        stream.begin()
        measures = await in_thread(partial(_watched, devices, load.work))
        memory = resident() - before
    own = {"each_kib": memory / load.actors, "collect": again.seconds * 1e3}
    return {**registered, **measures, **stream.measures(), **own}


def _watched(devices: Crowd, beats: int) -> Measures:
    began, spent = time.perf_counter(), time.process_time()
    measures = devices.beat(beats, RATE)
    busy = (time.process_time() - spent) / (time.perf_counter() - began)
    return {**measures, "cpu": busy * 100}


FAST = "aip_trio, adapter websockets"
PYDANTIC = "websockets + pydantic"
SMALL = Target(40, at_most=True)

ROW = Row(
    name="load",
    title="idle devices on one server, 250 heartbeats/s, one task running",
    work=2_000,
    rounds=1,
    sizes=(10, 100, 1_000, 5_000),
    subjects=(
        Subject(OURS, ours),
        Subject(FAST, partial(ours, adapter="websockets"), needs="websockets"),
        Subject(PYDANTIC, pydantic, needs=("pydantic", "websockets")),
    ),
    curves=(
        ("each_kib", "memory, KiB each"),
        ("cpu", "processor of the server, %"),
        ("p50", "heartbeat answered, p50, ms"),
        ("p99", "heartbeat answered, p99, ms"),
        ("command_p50", "command, p50, ms"),
        ("command_p99", "command, p99, ms"),
        ("register", "registrations/s, one after another"),
        ("collect", "a full collection of garbage, ms"),
    ),
    figures=(
        Figure("{actors:,}: memory, each", "each_kib", "KiB", peer=PYDANTIC, target=SMALL),
        Figure(
            "{actors:,}, websockets: memory, each",
            "each_kib",
            "KiB",
            FAST,
            PYDANTIC,
            Target(40, at_most=True),
        ),
        Figure("{actors:,}: processor", "cpu", "%", peer=PYDANTIC),
        Figure("{actors:,}: heartbeat, p50", "p50", "ms", peer=PYDANTIC),
        Figure("{actors:,}: heartbeat, p99", "p99", "ms", peer=PYDANTIC),
        Figure("{actors:,}: heartbeat, worst", "worst", "ms", peer=PYDANTIC),
        Figure("{actors:,}: command, p99", "command_p99", "ms", peer=PYDANTIC),
    ),
)
