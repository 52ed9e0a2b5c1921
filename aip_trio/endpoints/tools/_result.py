"""What is told of a call's outcome."""

import logging
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from aip_trio.errors import InvalidToolResult, ToolError, ToolFailed
from aip_trio.messages import Command, Result, ResultStatus

__all__ = ["failure", "to_json"]

logger = logging.getLogger("aip_trio.endpoints")

_LONGEST_TEXT = 500


def to_json(tool: str, value: object, most: int) -> Any:
    """A value in JSON's own types, so that every codec takes it.

    Raises InvalidToolResult for what has no form in JSON, or one of more than ``most`` bytes.
    """
    try:
        encoded = msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidToolResult(tool, f"{type(value).__qualname__}: {_in_one_line(error)}") from error
    if len(encoded) > most:
        raise InvalidToolResult(tool, f"it has {len(encoded)} bytes of JSON, and there is room for {most}")
    return msgspec.json.decode(encoded)


def failure(command: Command, namespace: str, error: Exception, most: int = 0) -> Result:
    """The result that says in one line why a command failed, with what a `ToolFailed` has of a result.

    An exception that is no `ToolError` is a bug of the tool's. The peer cannot mend it, and is told its class
    and text; the traceback is logged. ``most``: bytes of JSON that there is room for.
    """
    result: Any = None
    causes = list(_causes(error))
    if isinstance(error, ToolFailed) and error.result is not None:
        try:
            result = to_json(command.tool_name, error.result, most)
        except InvalidToolResult as unfit:
            causes.append(unfit)
    if not all(isinstance(cause, ToolError) for cause in causes):
        logger.error("tool %s failed", command.tool_name, exc_info=error, extra={"tool": command.tool_name})
    text = "; ".join(_told(cause) for cause in causes)
    return Result(
        status=ResultStatus.FAILURE,
        error=text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…",
        result=result,
        namespace=namespace,
        call_id=command.call_id,
    )


def _causes(error: Exception) -> Iterator[Exception]:
    """What a group of exceptions is made of; any other by itself."""
    if isinstance(error, ExceptionGroup):
        for each in cast("ExceptionGroup[Exception]", error).exceptions:
            yield from _causes(each)
    else:
        yield error


def _told(error: Exception) -> str:
    text = _in_one_line(error)
    if isinstance(error, ToolError):
        return text
    return f"{type(error).__qualname__}: {text}" if text else type(error).__qualname__


def _in_one_line(error: Exception) -> str:
    try:
        return " ".join(str(error).splitlines())
    except Exception as broken:  # noqa: BLE001 - a broken __str__ must not hide the error being told
        return f"its text raises {type(broken).__qualname__}"
