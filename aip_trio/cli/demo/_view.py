"""What is shown meanwhile."""

from collections.abc import Callable

import trio
from rich.console import Group
from rich.text import Text

from aip_trio.actors import ActorSystem, Crashed, Event, Restarted
from aip_trio.cli._failures import describe, leaves
from aip_trio.cli._output import Output
from aip_trio.cli._text import printable

__all__ = ["show"]

#: Seconds between two pictures, and between two lines.
_PICTURE, _LINE = 0.1, 1.0


async def show(output: Output, system: ActorSystem, progress: Callable[[], str]) -> None:
    """Draw progress and the live tree; without a terminal write lines, of each crash and restart, too."""
    with output.view() as view:
        if view.visible:
            while True:
                tree = "\n".join(map(printable, str(system.tree()).splitlines()))
                view.show(Group(Text(progress(), "bold"), Text(tree, no_wrap=True, overflow="ellipsis")))
                await trio.sleep(_PICTURE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_tell_events, output, system)
        last = ""
        while True:
            await trio.sleep(_LINE)
            text = progress()
            if text != last:
                output.line(text)
            last = text


async def _tell_events(output: Output, system: ActorSystem) -> None:
    with system.events.subscribe() as events:
        async for event in events:
            line = _line(event)
            if line:
                output.line(line)


def _line(event: Event) -> str:
    if not event.path.startswith("/fleet/"):
        return ""
    match event:
        case Crashed(_, _, error):
            return f"died       {'; '.join(map(describe, leaves(error)))}"
        case Restarted(path, _, restarts):
            return f"restarted  {path.rpartition('/')[2]} ({restarts})"
        case _:
            return ""
