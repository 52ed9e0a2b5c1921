"""Counters of a link."""

from __future__ import annotations

import attrs

from aip_trio.protocol.link._session import LinkSession

__all__ = ["LinkStatistics"]


@attrs.frozen
class LinkStatistics:
    """How one end of a link stands."""

    #: messages that wait to be sent
    queued: int
    #: messages that the peer has not acknowledged, those that wait included
    unacknowledged: int
    #: their bytes
    bytes: int
    #: messages sent, each counted once
    sent: int
    #: messages received, each counted once
    received: int
    #: messages that came again, and were dropped
    duplicates: int
    #: how often another physical connection has taken over
    resumptions: int

    @classmethod
    def of(cls, session: LinkSession) -> LinkStatistics:
        """Those of a session."""
        replay = session.replay
        return cls(
            queued=replay.queued,
            unacknowledged=replay.kept_messages,
            bytes=replay.kept_bytes,
            sent=replay.numbered,
            received=session.seen,
            duplicates=session.duplicates,
            resumptions=session.resumptions,
        )
