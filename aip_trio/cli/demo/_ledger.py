"""What became of each task: the one place where it is written down, once."""

import attrs

from aip_trio.errors import AipError

__all__ = ["Ledger", "SettledTwice"]


@attrs.define(slots=False)
class SettledTwice(AipError):
    """A task that has its outcome was given another one: what the demo exists to rule out."""

    task: str

    def __str__(self) -> str:
        return f"task {self.task} has two outcomes: report it"


class Ledger:
    """Every task that was asked for, and which of them have their outcome."""

    def __init__(self) -> None:
        self._open: set[str] = set()
        self._settled: dict[str, str] = {}
        #: how often a task was asked for again
        self.retried = 0

    def ask(self, task: str) -> None:
        """A task is to be done. Raises SettledTwice where one with this id was, or is."""
        if task in self._open or task in self._settled:
            raise SettledTwice(task)
        self._open.add(task)

    def retry(self, task: str) -> None:
        """It was not done, and is asked for again. Raises SettledTwice where it was done after all."""
        if task not in self._open:
            raise SettledTwice(task)
        self.retried += 1

    def settle(self, task: str, device: str) -> None:
        """Its outcome is known, by this device. Raises SettledTwice."""
        if task not in self._open:
            raise SettledTwice(task)
        self._open.remove(task)
        self._settled[task] = device

    @property
    def asked(self) -> int:
        """Tasks, each counted once."""
        return len(self._open) + len(self._settled)

    @property
    def done(self) -> int:
        """Tasks that have their outcome."""
        return len(self._settled)

    def done_by(self, device: str) -> int:
        """How many of them this device did."""
        return sum(each == device for each in self._settled.values())
