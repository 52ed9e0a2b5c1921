"""How a picture of the tree is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from aip_trio.actors._tree import TreeNode
from aip_trio.errors._base import told

if TYPE_CHECKING:
    from aip_trio.actors._cell import Cell
    from aip_trio.actors._children import Children

__all__ = ["snapshot"]


def snapshot(root: Children) -> TreeNode:
    """The root and everything below it."""
    now = trio.current_time()
    cells = list(root.supervision.children.values())
    for cell in cells:  # they become more: each stands before its own children
        if cell.children is not None:
            cells.extend(cell.children.supervision.children.values())
    nodes: dict[Cell, TreeNode] = {}
    for cell in reversed(cells):
        nodes[cell] = _node(cell, now, _of(cell.children, nodes))
    return TreeNode("/", "/", "root", root.supervision.phase.value, 0, 0, 0, None, None, _of(root, nodes))


def _of(children: Children | None, nodes: dict[Cell, TreeNode]) -> tuple[TreeNode, ...]:
    if children is None:
        return ()
    return tuple(nodes.pop(cell) for cell in children.supervision.children.values())


def _node(cell: Cell, now: float, children: tuple[TreeNode, ...]) -> TreeNode:
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
        last_crash=None if crash is None else told(crash),
        children=children,
    )
