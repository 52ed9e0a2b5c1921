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
        yield self
        for child in self.children:
            yield from child.walk()

    def __str__(self) -> str:
        return "\n".join(self._lines("", ""))

    def _lines(self, first: str, rest: str) -> Iterator[str]:
        yield f"{first}{self.name}  {self.kind}  {self.state}{self._facts()}"
        for child in self.children:
            last = child is self.children[-1]
            yield from child._lines(rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))

    def _facts(self) -> str:
        facts = [f"handled={self.handled}"] if self.handled else []
        facts += [f"waiting={self.mailbox}"] if self.mailbox else []
        facts += [f"restarts={self.restarts}"] if self.restarts else []
        facts += [f"last crash: {self.last_crash}"] if self.last_crash else []
        return "  " + "  ".join(facts) if facts else ""
