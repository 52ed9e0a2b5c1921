"""A client's connection: link, session and heartbeat, which live and end together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aip_trio.actors import Actor, ChildSpec, Supervisor
from aip_trio.endpoints.connection._dial import Dial
from aip_trio.endpoints.connection._heartbeat import HeartbeatSender
from aip_trio.endpoints.connection._link import ClientLink

__all__ = ["Connection", "connection_spec"]


class Connection(Supervisor):
    """Ends when one of the three does; its owner restarts it, after a backoff: reconnecting is restarting.

    So everything about a lost connection is gone with it, mailboxes included: what was on its way to one
    connection never turns up on the next.
    """

    def __init__(self, dial: Dial, session: Callable[[], Actor]) -> None:
        super().__init__(strategy="one_for_all", auto_shutdown="any_significant")
        self._dial = dial
        self._session = session

    def children(self) -> Iterable[ChildSpec]:
        """The link connects, the session registers, the heartbeat begins."""
        yield ChildSpec("link", ClientLink, self._dial, restart="temporary", significant=True)
        yield ChildSpec("session", self._session, restart="temporary", significant=True)
        yield ChildSpec("heartbeat", HeartbeatSender, self._dial, restart="temporary", significant=True)


def connection_spec(dial: Dial, session: Callable[[], Actor]) -> ChildSpec:
    """The connection as a child of whoever has it."""
    return ChildSpec("connection", Connection, dial, session, backoff=dial.patience)
