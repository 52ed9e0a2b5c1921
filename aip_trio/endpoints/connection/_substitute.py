"""What to send where a message cannot be."""

from __future__ import annotations

import attrs

from aip_trio.errors import EncodeError
from aip_trio.messages import CommandResults, ErrorFromClient, FromClient, Result, ResultStatus

__all__ = ["in_place_of", "refusal_of"]


def in_place_of(message: FromClient, error: EncodeError) -> FromClient:
    """What to say where a message cannot be: results become failed ones, so that their task goes on."""
    if not isinstance(message, CommandResults):
        return ErrorFromClient(str(error))
    faults = [_fault(result) for result in message.action_results]
    if not any(faults):  # each by itself is fine; together they are too much
        faults = [str(error)] * len(faults)
    results = [
        result if fault is None else _failed(result, fault)
        for result, fault in zip(message.action_results, faults, strict=True)
    ]
    return attrs.evolve(message, action_results=results)


def refusal_of(message: FromClient, reason: str) -> FromClient:
    """What to say where none of it may be sent, for this reason."""
    if not isinstance(message, CommandResults):
        return ErrorFromClient(reason)
    results = [_failed(result, reason) for result in message.action_results]
    return attrs.evolve(message, action_results=results)


def _fault(result: Result) -> str | None:
    """Why this result by itself cannot be sent, or None."""
    try:
        result.model_dump_json()
    except EncodeError as error:
        return str(error)
    return None


def _failed(result: Result, fault: str) -> Result:
    error = f"the result cannot be sent: {fault}"
    call_id = result.call_id
    try:
        Result(status=ResultStatus.FAILURE, call_id=call_id).model_dump_json()
    except EncodeError:  # it is the fault itself
        call_id = None
    return Result(status=ResultStatus.FAILURE, error=error, call_id=call_id)
