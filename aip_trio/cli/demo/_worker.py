"""Who reads the files."""

import trio

from aip_trio.actors import handles
from aip_trio.cli.demo._inventory import Findings
from aip_trio.cli.demo._messages import Hash
from aip_trio.cli.demo._reading import read_files
from aip_trio.cli.demo._sabotage import Fragile

__all__ = ["Worker"]


class Worker(Fragile):
    """Reads and hashes files, in a worker thread. It keeps nothing: a crash costs its batch."""

    def __init__(self, root: str, limiter: trio.CapacityLimiter) -> None:
        super().__init__()
        self._root = root
        self._limiter = limiter

    @handles
    async def hash(self, message: Hash) -> Findings:
        """Read these files. Cancelled: it ends at the next chunk, and nothing is answered."""
        with self.at_work():
            findings = await trio.to_thread.run_sync(
                read_files, self._root, message.paths, trio.from_thread.check_cancelled, limiter=self._limiter
            )
            await trio.lowlevel.checkpoint_if_cancelled()
        return findings
