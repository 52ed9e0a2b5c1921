"""The service of auto-trainer-api, run by the interpreter of its own environment, where aip_trio is not.

``python peer_service.py EVENTS_PORT COMMANDS_PORT INTERVAL`` prints ``ready``. What its delegate answers is
what was answered when the frames of rpc.json were captured, with data that tell the command's own; a pending
command's end follows by itself. Each line of standard input is an event of JSON to publish; it ends with its
standard input.
"""

import json
import os
import sys
import threading
from dataclasses import asdict, replace
from functools import partial
from importlib import import_module
from typing import Any

#: Absent from the environment in which types are checked, and without types in its own.
api: Any = import_module("autotrainer.api")

#: The name as 0.9 spells it, and as 0.12 does.
Result: Any = getattr(api, "ApiCommandRequestResult", None) or api.ApiCommandReqeustResult

#: Seconds until the end of a command that was answered with "pending".
PENDING = 0.05


def answer(service: Any, request: Any) -> Any:
    """What the delegate answers."""
    match int(request.command):
        case 300:
            data = {"device_id": "000000", "nested_key": {"inner_key": [1, 2]}}
            return api.ApiCommandRequestResponse(result=Result.SUCCESS, data=data)
        case 400:
            return api.ApiCommandRequestResponse(result=Result.SUCCESS, data={"given": request.data})
        case 200:
            raise RuntimeError("boom_in_delegate")
        case 210:
            return api.ApiCommandRequestResponse(Result.FAILED, error_code=7, error_message="not_stopped")
        case 99999:
            threading.Timer(PENDING, end, [service, request]).start()
            return api.ApiCommandRequestResponse(result=Result.PENDING_WITH_NOTIFICATION)
        case _:
            return api.ApiCommandRequestResponse(result=Result.SUCCESS)


def end(service: Any, request: Any) -> None:
    """Tell that a pending command is done."""
    response = api.ApiCommandRequestResponse(
        result=Result.SUCCESS,
        data={"custom_command": request.custom_command},
        command=request.command,
        nonce=request.nonce,
    )
    if hasattr(service, "send_command_result"):
        service.send_command_result(response)
    else:
        service.send_dict(api.ApiTopic.COMMAND_RESULT, asdict(response))


def publish(service: Any, event: dict[str, Any]) -> None:
    """On EVENT, and what is an emergency on EMERGENCY."""
    if hasattr(service, "send_event_dict"):
        service.send_event_dict(event)
    else:
        service.send_dict(api.ApiTopic.EVENT, event)


def main(events_port: int, commands_port: int, interval: float) -> None:
    """Serve until standard input is closed."""
    options = api.create_default_api_options()
    rpc = replace(
        options.rpc,
        subscriber_port=events_port,
        command_port=commands_port,
        heartbeat_interval=interval,
    )
    service = api.create_api_service(replace(options, rpc=rpc))
    service.command_request_delegate = partial(answer, service)
    service.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        publish(service, json.loads(line))
    os._exit(0)  # its own way to stop fails in 0.9


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
