"""The command ``tools``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aip_trio.cli._shell import Shell
from aip_trio.cli.fleet._options import Allow, Root, Tools
from aip_trio.cli.fleet._signature import signature

if TYPE_CHECKING:
    from aip_trio.endpoints.tools import Tool

__all__ = ["tools"]


@attrs.frozen
class Offer:
    """A tool of a device; ``needs``: the option without which a device does not have it."""

    tool: Tool
    needs: str | None

    @property
    def summary(self) -> str:
        """The description's first sentence."""
        paragraph, *_ = (self.tool.description or "").split("\n\n")
        return " ".join(paragraph.split()).split(". ")[0].rstrip(".")

    def data(self) -> dict[str, object]:
        """For ``--json``: the parameters' JSON Schema."""
        return {
            "name": self.tool.name,
            "type": self.tool.tool_type.value,
            "description": self.tool.description if self.needs is None else self.summary,
            "parameters": self.tool.input_schema,
            "needs": self.needs,
        }


def tools(shell: Shell, root: Root = None, allow: Allow = None, tools: Tools = None) -> int:
    """List the tools that come with aip-trio, and those of your own, and what they take.

    Of each that a device with the same options would not have, the option that it needs.
    """
    offers = _offers(root, allow or [], tools or [])
    shell.output.result(
        {"tools": [offer.data() for offer in offers]}, lambda: _picture(offers), _lines(offers)
    )
    return 0


def _offers(root: Path | None, allow: Sequence[str], loaded: Sequence[str]) -> list[Offer]:
    from aip_trio.cli.fleet._load import add_tools
    from aip_trio.endpoints.tools import builtin_tools

    own = builtin_tools(root, allow)
    add_tools(own, loaded)
    every = builtin_tools(root or os.path.abspath(os.sep), allow or (sys.executable,))
    builtin = [
        Offer(own[tool.name], None)
        if tool.name in own
        else Offer(tool, "--allow" if tool.name == "run_program" else "--root")
        for tool in every
    ]
    return [*builtin, *(Offer(tool, None) for tool in own if tool.name not in every)]


def _lines(offers: Sequence[Offer]) -> Iterator[str]:
    for offer in offers:
        needs = f"  (needs {offer.needs})" if offer.needs else ""
        yield f"{offer.tool.name}  {offer.tool.tool_type.value}{needs}"
        yield f"    {offer.summary}"
        yield from (f"    {parameter}" for parameter in signature(offer.tool.input_schema))


def _picture(offers: Sequence[Offer]) -> RenderableType:
    table = Table("tool", "type", "what it does", "parameters", "needs", show_lines=True)
    for offer in offers:
        parameters = "\n".join(signature(offer.tool.input_schema))
        cells = (offer.tool.name, offer.tool.tool_type.value, offer.summary, parameters, offer.needs or "")
        table.add_row(*map(Text, cells), style="dim" if offer.needs else "")
    return table
