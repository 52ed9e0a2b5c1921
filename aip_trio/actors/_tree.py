"""A picture of a system at one moment."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

__all__ = ["TreeNode"]


@attrs.frozen
class TreeNode:
    """One actor, frozen: ``age`` in seconds since it came up (None: it is not), ``last_crash`` as text."""

    path: str
    name: str
    kind: str
    state: str
    restarts: int
    mailbox: int
    handled: int
    age: float | None
    last_crash: str | None
    children: tuple[TreeNode, ...]

    def walk(self) -> Iterator[TreeNode]:
        """This node and all below it, parents first."""
        todo: list[TreeNode] = [self]
        while todo:
            node = todo.pop()
            yield node
            todo.extend(reversed(node.children))

    def __str__(self) -> str:
        lines: list[str] = []
        todo: list[tuple[TreeNode, str, str]] = [(self, "", "")]
        while todo:
            node, first, rest = todo.pop()
            lines.append(f"{first}{node.name}  {node.kind}  {node.state}{node._facts()}")
            below = [(child, f"{rest}├─ ", f"{rest}│  ") for child in node.children[:-1]]
            below += [(child, f"{rest}└─ ", f"{rest}   ") for child in node.children[-1:]]
            todo.extend(reversed(below))
        return "\n".join(lines)

    def _facts(self) -> str:
        facts = [f"handled={self.handled}"] if self.handled else []
        facts += [f"waiting={self.mailbox}"] if self.mailbox else []
        facts += [f"restarts={self.restarts}"] if self.restarts else []
        facts += [f"last crash: {self.last_crash}"] if self.last_crash else []
        return "  " + "  ".join(facts) if facts else ""
