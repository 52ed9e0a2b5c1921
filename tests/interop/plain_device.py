"""A device as a program of its own: websockets and json alone.

``python -m tests.interop.plain_device URL ID`` registers, does what it is told, and prints each message that
it gets, as a line of JSON. It has the tools echo, fail and nap; a task that it is offered it asks for.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.interop.plain import Closed, Frame, Plain

__all__ = ["TOOLS", "main", "obey", "run"]

_HEARTBEAT = 5.0

INFO = {"os": "plainOS", "cpu": "none", "supported_features": ["echo", "fail", "nap"]}


def _echo(parameters: Frame) -> Any:
    return parameters


def _fail(parameters: Frame) -> Any:
    raise RuntimeError(parameters.get("why", "told to"))


def _nap(parameters: Frame) -> Any:
    time.sleep(parameters["seconds"])
    return "rested"


TOOLS: dict[str, Callable[[Frame], Any]] = {"echo": _echo, "fail": _fail, "nap": _nap}


def run(action: Frame) -> Frame:
    """The result of one command."""
    try:
        result = TOOLS[action["tool_name"]](action["parameters"])
    except Exception as error:  # noqa: BLE001 - it is the command's result
        return {
            "status": "failure",
            "error": f"{type(error).__name__}: {error}",
            "call_id": action["call_id"],
        }
    return {"status": "success", "result": result, "namespace": "plain", "call_id": action["call_id"]}


def obey(device: Plain, message: Frame) -> None:
    """Act on one message of the server's."""
    match message["type"]:
        case "command":
            device.say(
                "command_results",
                "continue",
                session_id=message["session_id"],
                prev_response_id=message["response_id"],
                action_results=[run(action) for action in message["actions"]],
            )
        case "task":
            device.say(
                "task",
                "continue",
                request=message["user_request"],
                task_name=message["task_name"],
                metadata={"commands": [{"tool_name": "echo", "parameters": {"of": message["user_request"]}}]},
            )
        case "device_info_request":
            device.say("device_info_response", request_id=message["response_id"], metadata=INFO)
        case "task_end":
            device.say("task_end", message["status"], session_id=message["session_id"])
        case _:
            pass


def _beat(device: Plain, over: threading.Event) -> None:
    while not over.wait(_HEARTBEAT):
        try:
            device.say("heartbeat")
        except Closed:
            return


def main(url: str, device_id: str) -> int:
    """Exit status 0 when the server closes in order, 1 where it refuses the device, or is lost."""
    over = threading.Event()
    with Plain.open(url, device_id) as device:
        answer = device.register(metadata={"platform": "plain", "system_info": INFO})
        print(json.dumps(answer), flush=True)
        if answer["type"] != "heartbeat":
            return 1
        threading.Thread(target=_beat, args=(device, over), daemon=True).start()
        try:
            while True:
                message = device.hear(3600)
                print(json.dumps(message), flush=True)
                obey(device, message)
        except Closed as end:
            return 0 if end.code in (1000, 1001) else 1
        finally:
            over.set()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
