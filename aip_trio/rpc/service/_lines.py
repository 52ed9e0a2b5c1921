"""Answers in the order of their requests, client by client, whatever order they are found in."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Lines"]

C = TypeVar("C", bound=Hashable)
A = TypeVar("A")


class Lines(Generic[C, A]):
    """A line for each client that waits: the numbers of its requests, each with its answer once it is known.

    A client without a line waits for nothing: what is answered at once needs no place in one.
    """

    def __init__(self) -> None:
        self._lines: dict[C, dict[int, A | None]] = {}

    def __len__(self) -> int:
        """How many clients wait."""
        return len(self._lines)

    def __contains__(self, client: C) -> bool:
        return client in self._lines

    def stand(self, client: C, number: int) -> int:
        """A request has come whose answer is not known yet. Returns the length of its client's line."""
        line = self._lines.setdefault(client, {})
        line[number] = None
        return len(line)

    def first(self, client: C) -> int:
        """The number of the request that all others of this client wait for. KeyError: it has no line."""
        return next(iter(self._lines[client]))

    def answer(self, client: C, number: int, answer: A) -> list[A]:
        """The answer of a request in a line is known. Returns those that may go out now, in their order."""
        line = self._lines[client]
        line[number] = answer
        due: list[A] = []
        while line:
            first = next(iter(line))
            known = line[first]
            if known is None:
                return due
            due.append(known)
            del line[first]
        del self._lines[client]
        return due
