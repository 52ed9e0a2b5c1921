"""What a task's commands look like on the command line."""

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from aip_trio.errors import InvalidOption

__all__ = ["read_commands"]

_COMMAND = re.compile(
    r"\s*(?P<tool>[A-Za-z0-9_.-]{1,64})(?:\s*$|\s*(?P<parameters>\{.*\})\s*$)", re.ASCII | re.DOTALL
)

_EXAMPLE = """write a tool's name, and its parameters as a JSON object, such as 'list_files {"path": "."}'"""


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
