"""An orchestrator as a program of its own: websockets and json alone.

``python -m tests.interop.plain_orchestrator URL ID DEVICE`` asks the device about itself, then gives it each
task that a line of its standard input holds as a JSON object of ``request`` and ``metadata``. It prints what
comes of each, as a line of JSON.
"""

import json
import sys
import uuid

from tests.interop.plain import Frame, Plain

__all__ = ["ask", "inform", "main"]


def ask(orchestrator: Plain, device_id: str, task: Frame) -> Frame:
    """Give a device a task, and wait for its end."""
    session_id = task.get("session_id") or uuid.uuid4().hex
    orchestrator.say(
        "task",
        "continue",
        target_id=device_id,
        session_id=session_id,
        request_id=uuid.uuid4().hex,
        task_name=task.get("task_name", "plain"),
        request=task["request"],
        metadata=task.get("metadata"),
    )
    while True:
        message = orchestrator.hear()
        if message["type"] == "task_end" and message["session_id"] == session_id:
            return message
        if message["type"] == "error":
            return message


def inform(orchestrator: Plain, device_id: str) -> Frame:
    """What a device tells of itself."""
    request_id = uuid.uuid4().hex
    orchestrator.say("device_info_request", target_id=device_id, request_id=request_id)
    while True:
        message = orchestrator.hear()
        if message["type"] == "device_info_response" and message["response_id"] == request_id:
            return message


def main(url: str, client_id: str, device_id: str) -> int:
    """Exit status 0 when every task is completed, 1 where one is not, or the server refuses."""
    with Plain.open(url, client_id, "constellation") as orchestrator:
        answer = orchestrator.register(target_id=device_id, metadata={"type": "constellation_client"})
        if answer["type"] != "heartbeat":
            print(json.dumps(answer), flush=True)
            return 1
        print(json.dumps(inform(orchestrator, device_id)), flush=True)
        failed = False
        for line in sys.stdin:
            end = ask(orchestrator, device_id, json.loads(line))
            failed |= end["status"] != "completed"
            print(json.dumps(end), flush=True)
        return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
