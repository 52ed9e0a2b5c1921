"""Who keeps what was found."""

import trio

from aip_trio.actors import handles
from aip_trio.cli.demo._inventory import Entry, Findings, Inventory
from aip_trio.cli.demo._journal import Journal
from aip_trio.cli.demo._messages import Everything, Record, Tally
from aip_trio.cli.demo._sabotage import Fragile

__all__ = ["Collector"]


class Collector(Fragile):
    """Keeps one entry for each path, and writes each finding to a journal before it answers.

    So an answer is a promise: a new incarnation reads the journal, and knows all that was ever answered.
    Who gets no answer, because of a crash, does not know whether the finding was kept, and offers it again;
    that is harmless, because the path tells that it is the same one. Nothing is lost, nothing counts twice.

    A journal, rather than results that the dispatcher retains: state that must outlive a crash belongs
    where no crash of an actor reaches, and the same collector can then run in a process of its own.
    """

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        self._entries: dict[str, Entry] = {}
        self._unreadable: dict[str, str] = {}
        self._bytes = 0

    async def started(self) -> None:
        """Remember."""
        for findings in await trio.to_thread.run_sync(list, self._journal.replay()):
            self._keep(findings)

    @handles
    async def record(self, message: Record) -> Tally:
        """Keep this, in the journal first."""
        with self.at_work():
            await trio.to_thread.run_sync(self._journal.append, message.findings)
            await trio.lowlevel.checkpoint_if_cancelled()
        self._keep(message.findings)
        return Tally(len(self._entries), self._bytes)

    @handles
    async def everything(self, message: Everything) -> Inventory:
        """All that was recorded."""
        await trio.lowlevel.checkpoint()
        return Inventory(dict(self._entries), dict(self._unreadable))

    def _keep(self, findings: Findings) -> None:
        for entry in findings.entries:
            self._forget(entry.path)
            self._entries[entry.path] = entry
            self._bytes += entry.stamp.size
        for path, reason in findings.unreadable:
            self._forget(path)
            self._unreadable[path] = reason

    def _forget(self, path: str) -> None:
        """What an earlier look found: the later one counts."""
        earlier = self._entries.pop(path, None)
        if earlier is not None:
            self._bytes -= earlier.stamp.size
        self._unreadable.pop(path, None)
