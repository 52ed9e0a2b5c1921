"""Code of the user's own that a program runs, named on the command line as ``module:name``."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from aip_trio.errors import InvalidOption

if TYPE_CHECKING:
    from aip_trio.endpoints import TaskFunction
    from aip_trio.endpoints.tools import Tool, ToolRegistry

__all__ = ["add_tools", "load", "load_task"]

_FORM = "write module:name, such as 'lab.tasks:measure'"


def load(option: str, text: str) -> object:
    """What ``module:name`` stands for; modules are found in the current folder, too.

    The module is run by that. Raises InvalidOption, which says what is not there, or does not work.
    """
    module, _, path = text.partition(":")
    if not all(name.isidentifier() for name in (*module.split("."), *path.split("."))):
        raise InvalidOption(option, text, f"is no name of a thing in a module: {_FORM}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: object = importlib.import_module(module)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            reason = (
                f"names no module: there is no {error.name!r} in the current folder or where Python looks"
            )
        else:
            reason = f"has a module that cannot be imported ({_told(error)}): mend it; --debug shows where"
        raise InvalidOption(option, text, reason) from error
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise InvalidOption(option, text, f"is not there: {module} has no {name!r}") from error
    return found


def load_task(text: str) -> TaskFunction:
    """A server's task function. Raises InvalidOption."""
    found = load("task", text)
    call: object = found if inspect.isfunction(found) else getattr(found, "__call__", None)  # noqa: B004
    if not inspect.iscoroutinefunction(found) and not inspect.iscoroutinefunction(call):
        raise InvalidOption("task", text, "is no async function: write `async def name(session):`")
    function = cast("TaskFunction", found)
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        raise InvalidOption(
            "task", text, f"cannot be called with a session alone ({error}): write `async def name(session):`"
        ) from error
    return function


def add_tools(registry: ToolRegistry, texts: Iterable[str]) -> None:
    """Add what these name to a device's tools: each an async function, a `Tool`, several of them, or a plain
    function that makes one of these.

    Raises InvalidOption, and InvalidTool for a function that cannot be a tool and a name that is taken.
    """
    for text in texts:
        found = load("tools", text)
        if inspect.isroutine(found) and not inspect.iscoroutinefunction(found):
            found = _make(text, cast("Callable[[], object]", found))
        for each in _tools(text, found):
            registry.add(each)


def _make(text: str, factory: Callable[[], object]) -> object:
    try:
        return factory()
    except Exception as error:
        reason = f"makes no tools, but raises {_told(error)}: mend it; --debug shows where"
        raise InvalidOption("tools", text, reason) from error


def _tools(text: str, found: object) -> list[Tool]:
    from aip_trio.endpoints.tools import Tool, ToolRegistry

    several = isinstance(found, (ToolRegistry, list, tuple))
    tools: list[Tool] = []
    for each in cast("Iterable[Any]", found) if several else (found,):
        if inspect.iscoroutinefunction(each):
            each = Tool(each)
        if not isinstance(each, Tool):
            kind = type(each).__qualname__
            raise InvalidOption(
                "tools",
                text,
                f"holds an object of type {kind}, which is no tool: give async functions, or a ToolRegistry",
            )
        tools.append(each)
    return tools


def _told(error: Exception) -> str:
    return f"{type(error).__qualname__}: {error}" if str(error) else type(error).__qualname__
