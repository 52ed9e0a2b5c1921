"""A device's tools: typed async functions that a server's commands call by name."""

from aip_trio.endpoints.tools._builtin import builtin_tools
from aip_trio.endpoints.tools._client import ToolClient
from aip_trio.endpoints.tools._registry import ToolRegistry
from aip_trio.endpoints.tools._tool import Tool, ToolFunction, tool

__all__ = ["Tool", "ToolClient", "ToolFunction", "ToolRegistry", "builtin_tools", "tool"]
