"""Who waits for whom: ask cycles are found before they hang."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio.lowlevel import current_task

from aip_trio.actors._envelope import here
from aip_trio.errors import AskCycle

if TYPE_CHECKING:
    from aip_trio.actors._cell import Cell

__all__ = ["handling", "refuse_cycle"]


def handling() -> Cell | None:
    """The actor that cannot go on before the calling task does, or None.

    That is the actor whose own task this is, or that waits for it in a nursery of its handler's. A task
    in ``self.nursery`` holds up nobody.
    """
    current = here.get()
    if current is None or current.cell is None:
        return None
    cell = current.cell
    task = current_task()
    while task is not cell.task:
        nursery = task.parent_nursery
        if nursery is None or nursery is cell.nursery:
            return None
        task = nursery.parent_task
    return cell


def refuse_cycle(asker: Cell, target: Cell) -> None:
    """Raise AskCycle if the target waits, directly or through others, for the asker."""
    path = _path(target, asker, [])
    if path is not None:
        raise AskCycle((asker.path, *(cell.path for cell in path)))


def _path(start: Cell, goal: Cell, seen: list[Cell]) -> list[Cell] | None:
    if start is goal:
        return [start]
    if start in seen:
        return None
    seen.append(start)
    for following, answer in start.asking:
        rest = _path(following, goal, seen) if following.holds_up(answer) else None
        if rest is not None:
            return [start, *rest]
    return None
