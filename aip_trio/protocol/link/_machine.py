"""The states of a resumable session."""

from enum import Enum

from aip_trio.machine import Machine

__all__ = ["LINK_MACHINE", "LinkEvent", "LinkState"]


class LinkState(Enum):
    """Where a session stands."""

    NEW = "new"
    ATTACHED = "attached"  #: a physical connection carries it
    DETACHED = "detached"  #: none does: the window runs
    CLOSED = "closed"  #: one side said goodbye
    LOST = "lost"  #: the window is over, or the session can be trusted no more


class LinkEvent(Enum):
    """What moves a session on."""

    ATTACH = "attach"
    DETACH = "detach"
    CLOSE = "close"
    LOSE = "lose"


LINK_MACHINE = Machine(
    "resumable session",
    initial=LinkState.NEW,
    terminal={LinkState.CLOSED, LinkState.LOST},
    table={
        LinkState.NEW: {
            LinkEvent.ATTACH: LinkState.ATTACHED,
            LinkEvent.CLOSE: LinkState.CLOSED,
            LinkEvent.LOSE: LinkState.LOST,
        },
        LinkState.ATTACHED: {
            LinkEvent.DETACH: LinkState.DETACHED,
            LinkEvent.CLOSE: LinkState.CLOSED,
            LinkEvent.LOSE: LinkState.LOST,
        },
        LinkState.DETACHED: {
            LinkEvent.ATTACH: LinkState.ATTACHED,
            LinkEvent.CLOSE: LinkState.CLOSED,
            LinkEvent.LOSE: LinkState.LOST,
        },
    },
)
