"""How a picture of the tree is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from aip_trio.actors._tree import TreeNode

if TYPE_CHECKING:
    from aip_trio.actors._cell import Cell
    from aip_trio.actors._children import Children

__all__ = ["snapshot"]


def snapshot(root: Children) -> TreeNode:
    """The root and everything below it."""
    return TreeNode("/", "/", "root", root.supervision.phase.value, 0, 0, 0, None, None, _nodes(root))


def _nodes(children: Children | None) -> tuple[TreeNode, ...]:
    if children is None:
        return ()
    now = trio.current_time()
    return tuple(_node(cell, now) for cell in children.supervision.children.values())


def _node(cell: Cell, now: float) -> TreeNode:
    crash = cell.last_crash
    return TreeNode(
        path=cell.path,
        name=cell.spec.name,
        kind=type(cell.actor).__name__ if cell.actor is not None else cell.spec.title,
        state=cell.state.value,
        restarts=cell.restarts,
        mailbox=cell.mailbox.depth,
        handled=cell.handled,
        age=None if cell.since is None or not cell.active else now - cell.since,
        last_crash=None if crash is None else _told(crash),
        children=_nodes(cell.children),
    )


def _told(crash: BaseException) -> str:
    """In one line: a tree is drawn with a line for each actor."""
    return f"{type(crash).__name__}: {next(iter(str(crash).splitlines()), '')}"
