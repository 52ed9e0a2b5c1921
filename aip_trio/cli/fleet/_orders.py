"""What a task looks like on the command line."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, cast

import attrs

from aip_trio.errors import InvalidOption

__all__ = ["Order", "read_commands", "read_metadata", "read_order"]

_COMMAND = re.compile(
    r"\s*(?P<tool>[A-Za-z0-9_.-]{1,64})(?:\s*$|\s*(?P<parameters>\{.*\})\s*$)", re.ASCII | re.DOTALL
)

_EXAMPLE = """write a tool's name, and its parameters as a JSON object, such as 'list_files {"path": "."}'"""


@attrs.frozen
class Order:
    """A task: what is asked for in words, and the metadata that says it to the server."""

    request: str
    metadata: Mapping[str, Any]


def read_order(commands: Sequence[str], metadata: str | None, request: str | None) -> Order:
    """The task that the options describe. Raises InvalidOption."""
    told = {} if metadata is None else read_metadata(metadata)
    if commands and "commands" in told:
        raise InvalidOption("command", commands[0], 'has a rival: the metadata has "commands", too; give one')
    if commands:
        told = {**told, "commands": read_commands(commands)}
    elif metadata is None and request is None:
        raise InvalidOption("command", "", f"is missing, and so are --metadata and --request: {_EXAMPLE}")
    return Order(request or _names(told.get("commands")) or "a task", told)


def _names(listed: object) -> str:
    """The tools of listed commands, as far as they can be read: the server has the last word on them."""
    items = cast("list[object]", listed) if isinstance(listed, list) else []
    commands = [cast("dict[str, object]", item) for item in items if isinstance(item, dict)]
    return "; ".join(str(command["tool_name"]) for command in commands if "tool_name" in command)


def read_metadata(text: str) -> dict[str, Any]:
    """A JSON object, or that in a file. Raises InvalidOption."""
    if text.lstrip().startswith("{"):
        source = text
    else:
        try:
            with open(text, encoding="utf-8") as file:
                source = file.read()
        except (OSError, ValueError) as error:
            told = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise InvalidOption(
                "metadata", text, f"cannot be read ({told}): give a JSON object, or a file that holds one"
            ) from error
    try:
        found: object = json.loads(source, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidOption("metadata", text, f"is no JSON ({error}): give a JSON object") from error
    if not isinstance(found, dict):
        raise InvalidOption("metadata", text, "is JSON, but no object: give one, such as {}")
    return cast("dict[str, Any]", found)


def read_commands(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Each ``tool {json}`` as a task's metadata lists it; no object is an empty one. Raises InvalidOption."""
    return [_read(text) for text in texts]


def _read(text: str) -> dict[str, Any]:
    command = _COMMAND.match(text)
    if command is None:
        raise InvalidOption("command", text, f"is no command: {_EXAMPLE}")
    try:
        parameters = json.loads(command["parameters"] or "{}", parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidOption(
            "command", text, f"has parameters that are no JSON ({error}): {_EXAMPLE}"
        ) from error
    return {"tool_name": command["tool"], "parameters": parameters}


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
