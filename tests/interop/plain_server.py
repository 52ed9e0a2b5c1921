"""A server of AIP as a program of its own: websockets and json alone; it plays the reference server.

``python -m tests.interop.plain_server [PORT [FRAMES]]`` prints the URL that it listens at. A task's commands,
which its metadata lists, go to the device one turn at a time. A device that has registered is first sent
every line of the file FRAMES, as it is.
"""

import asyncio
import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

__all__ = ["Fleet", "main"]

Frame = dict[str, Any]


class Fleet:
    """Who is connected, and which answers are awaited."""

    def __init__(self, greetings: Sequence[str]) -> None:
        self.greetings = greetings
        self.devices: dict[str, ServerConnection] = {}
        self.awaited: dict[str, asyncio.Future[Frame]] = {}
        self.errors: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, websocket: ServerConnection) -> None:
        """One connection, from its registration to its end."""
        register = json.loads(await websocket.recv())
        assert register["type"] == "register", register
        device = register["client_type"] == "device"
        target = register.get("target_id")
        if not device and target not in self.devices:
            await say(websocket, "error", "error", error=f"device {target} is not connected")
            return
        await say(websocket, "heartbeat")
        if device:
            self.devices[register["client_id"]] = websocket
            for greeting in self.greetings:
                await websocket.send(greeting)
        try:
            async for frame in websocket:
                await self.act(websocket, json.loads(frame))
        except ConnectionClosed:
            pass
        finally:
            if device:
                del self.devices[register["client_id"]]

    async def act(self, websocket: ServerConnection, message: Frame) -> None:
        """On one message of a client's."""
        match message["type"]:
            case "heartbeat":
                await say(websocket, "heartbeat")
            case "task":
                self.start(self.perform(websocket, message))
            case "command_results":
                self.settle(message["prev_response_id"], message)
            case "device_info_request" if message["request_id"] == "errors":
                await say(websocket, "device_info_response", response_id="errors", result=self.errors)
            case "device_info_request":
                self.start(self.inform(websocket, message))
            case "device_info_response":
                self.settle(message["request_id"], message)
            case "error":
                self.errors.append(message["error"])
            case _:
                pass

    def start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def settle(self, key: str | None, message: Frame) -> None:
        future = self.awaited.pop(key or "", None)
        if future is not None:
            future.set_result(message)

    async def question(self, device_id: str, kind: str, status: str, **fields: object) -> Frame:
        """Send a device what it has to answer, and wait for that."""
        key = uuid.uuid4().hex
        self.awaited[key] = future = asyncio.get_running_loop().create_future()
        await say(self.devices[device_id], kind, status, response_id=key, **fields)
        return await asyncio.wait_for(future, 15)

    async def perform(self, asker: ServerConnection, message: Frame) -> None:
        """A task: a turn for each command, then its end, to both."""
        device, session = message["target_id"], message["session_id"]
        results: list[Frame] = []
        for number, command in enumerate(message["metadata"]["commands"]):
            action = {"tool_type": "action", "call_id": f"c{number}", **command}
            answer = await self.question(device, "command", "continue", session_id=session, actions=[action])
            (result,) = answer["action_results"]
            results.append({"tool_name": command["tool_name"], **result})
        good = all(result["status"] == "success" for result in results)
        end = {"session_id": session, "response_id": message["request_id"], "result": results}
        error = None if good else "a command failed"
        for websocket in (self.devices[device], asker):
            await say(websocket, "task_end", "completed" if good else "failed", error=error, **end)

    async def inform(self, asker: ServerConnection, message: Frame) -> None:
        answer = await self.question(message["target_id"], "device_info_request", "ok")
        await say(asker, "device_info_response", response_id=message["request_id"], result=answer["metadata"])


async def say(websocket: ServerConnection, kind: str, status: str = "ok", **fields: object) -> None:
    """One message; a peer of ours may leave out what it does not set."""
    message = {"type": kind, "status": status, "response_id": uuid.uuid4().hex, **fields}
    await websocket.send(json.dumps(message))


async def main(port: int = 0, greetings: Sequence[str] = ()) -> None:
    """Serve until killed."""
    fleet = Fleet(greetings)
    async with serve(fleet.serve, "127.0.0.1", port) as server:
        listening = next(iter(server.sockets)).getsockname()[1]
        print(f"ws://127.0.0.1:{listening}/ws", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    _, *given = sys.argv
    frames = Path(given[1]).read_text().splitlines() if len(given) > 1 else ()
    asyncio.run(main(int(given[0]) if given else 0, frames))
