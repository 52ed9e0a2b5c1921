"""The turns of a session, chained: each answer names the commands that it answers, in prev_response_id."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import attrs

from aip_trio.errors import ResultsMismatch
from aip_trio.errors._base import show
from aip_trio.messages import Command, Result

__all__ = ["Chain", "ChainTurn", "Turn"]

#: What a session remembers: so many turns, and so many bytes of results.
_TURNS, _BYTES = 256, 4 * 1024 * 1024


def _commands(actions: Iterable[Command]) -> tuple[Command, ...]:
    return tuple(actions)


@attrs.frozen
class Turn:
    """Commands that were sent in one message, and what a proper answer to them is."""

    response_id: str
    actions: tuple[Command, ...] = attrs.field(converter=_commands)

    def fault(self, prev_response_id: str | None, results: Sequence[Result]) -> str | None:
        """Why these results are no answer, or None: the turn named, one result per action, in order."""
        if prev_response_id != self.response_id:
            return (
                f"prev_response_id={show(prev_response_id)} is not that of its commands, {self.response_id!r}"
            )
        if len(results) != len(self.actions):
            return f"{len(results)} results for {len(self.actions)} actions"
        asked, answered = [a.call_id for a in self.actions], [r.call_id for r in results]
        if answered == asked:  # as most are
            return None
        ids = {action.call_id for action in self.actions if action.call_id is not None}
        for number, (action, result) in enumerate(zip(self.actions, results, strict=True), 1):
            # An id that is none of ours says nothing: some devices number their calls by themselves.
            if result.call_id in ids and result.call_id != action.call_id:
                return f"result {number} has call_id={show(result.call_id)}, which is another action's"
        return None


@attrs.frozen
class ChainTurn:
    """One turn of a session: commands, and what came of them."""

    #: counted from 1
    number: int
    #: of the commands; their results named it in prev_response_id
    response_id: str
    commands: tuple[Command, ...]
    #: one for each command, in order; None where none came, or not yet
    results: tuple[Result, ...] | None = None


@attrs.frozen
class _Done:
    turn: Turn
    results: tuple[Result, ...] | None
    size: int


class Chain:
    """The turns of one session in their order, and which answer is due. Without I/O.

    The latest ``max_turns`` are remembered, with ``max_size`` bytes of results at most: a session may go on
    for ever.
    """

    __slots__ = ("_done", "_max_size", "_max_turns", "_open", "_size", "count", "session_id")

    def __init__(self, session_id: str, *, max_turns: int = _TURNS, max_size: int = _BYTES) -> None:
        self.session_id = session_id
        #: how many turns there were
        self.count = 0
        self._max_turns = max_turns
        self._max_size = max_size
        self._open: Turn | None = None
        self._done: deque[_Done] = deque()
        self._size = 0

    @property
    def open(self) -> Turn | None:
        """The commands whose results are awaited."""
        return self._open

    @property
    def expected(self) -> str | None:
        """The prev_response_id that the next results have to name; None: none are awaited."""
        return None if self._open is None else self._open.response_id

    @property
    def turns(self) -> tuple[ChainTurn, ...]:
        """Those that are remembered, the oldest first; the last one may wait for its results."""
        turns: list[tuple[Turn, tuple[Result, ...] | None]] = [
            (done.turn, done.results) for done in self._done
        ]
        if self._open is not None:
            turns.append((self._open, None))
        first = self.count - len(turns) + 1
        return tuple(
            ChainTurn(number, turn.response_id, turn.actions, results)
            for number, (turn, results) in enumerate(turns, first)
        )

    def command(self, response_id: str, actions: Iterable[Command]) -> Turn:
        """Commands are sent. Those before, if they are unanswered, are not waited for any more."""
        self.close()
        self._open = turn = Turn(response_id, actions)
        self.count += 1
        return turn

    def results(
        self, prev_response_id: str | None, action_results: Sequence[Result] | None, size: int = 0
    ) -> tuple[Result, ...]:
        """The results of the commands that were sent last, in ``size`` bytes.

        :raises ResultsMismatch: they are no answer to them, or nothing is awaited; the chain stays as it was
        """
        results = tuple(action_results or ())
        turn = self._open
        if turn is None:
            raise ResultsMismatch(self.session_id, "no commands of it wait for results")
        fault = turn.fault(prev_response_id, results)
        if fault is not None:
            raise ResultsMismatch(self.session_id, fault)
        self._remember(turn, results, size)
        return results

    def close(self) -> None:
        """No results are awaited any more."""
        if self._open is not None:
            self._remember(self._open, None, 0)

    def _remember(self, turn: Turn, results: tuple[Result, ...] | None, size: int) -> None:
        self._open = None
        self._done.append(_Done(turn, results, size))
        self._size += size
        while self._done and (len(self._done) > self._max_turns or self._size > self._max_size):
            self._size -= self._done.popleft().size
