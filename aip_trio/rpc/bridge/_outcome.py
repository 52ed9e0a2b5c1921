"""What a service's reply comes to, for whoever called a tool."""

from __future__ import annotations

from aip_trio.errors import ToolFailed
from aip_trio.rpc._command import ApiCommandRequestResult
from aip_trio.rpc._wire import Reply

__all__ = ["outcome"]

_SUCCESS = ApiCommandRequestResult.SUCCESS
_PENDING = (ApiCommandRequestResult.PENDING, ApiCommandRequestResult.PENDING_WITH_NOTIFICATION)

_ADVICE = {
    ApiCommandRequestResult.UNRECOGNIZED: "the device does not know this command",
    ApiCommandRequestResult.FAILED: "it was tried, and not done",
    ApiCommandRequestResult.EXCEPTION: "the device's program raised an exception",
    ApiCommandRequestResult.UNAVAILABLE: "the device cannot do it now",
}


def outcome(title: str, reply: Reply) -> object:
    """What a tool returns for a reply: its data. Of a command that was only begun, that it is pending.

    ``title``: what a text calls the command. Raises ToolFailed, whose result is what the reply says.
    """
    if reply.result == _SUCCESS:
        return reply.data
    facts = {
        "result": reply.result.name,
        "error_code": reply.error_code,
        "error_message": reply.error_message,
        "data": reply.data,
    }
    if reply.result in _PENDING:
        return {"result": reply.result.name, "data": reply.data}
    why = reply.error_message or _ADVICE.get(reply.result, "its result is none that is known here")
    code = f", error_code={reply.error_code}" if reply.error_code else ""
    raise ToolFailed(f"{title} ended with {reply.result.name}{code}: {why}", facts)
