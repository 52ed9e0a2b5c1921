"""The handle of an actor: all that others know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs
import trio
from trio.lowlevel import enable_ki_protection, in_trio_run

from aip_trio.actors._answer import Answer
from aip_trio.actors._envelope import Envelope, here
from aip_trio.actors._message import Request
from aip_trio.actors._waiting import ANSWER, handling, refuse_circle
from aip_trio.errors import ActorStopped, InvalidMessage, MailboxFull, NoSystem

if TYPE_CHECKING:
    from aip_trio.actors._cell import Cell

__all__ = ["ActorRef", "Address"]

R = TypeVar("R")


@attrs.frozen
class Address:
    """A ref as plain data, to be sent elsewhere; ``system.resolve(address)`` is the ref again."""

    system: str
    uid: int
    path: str


class ActorRef:
    """Sends messages to one actor, over all its incarnations.

    Equal and hashed by system and uid, which survive restarts. A ref is all that is needed to talk to an
    actor, and nothing else of it can be reached.
    """

    __slots__ = ("__weakref__", "_cell")

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    @property
    def path(self) -> str:
        """Where the actor stands in the tree, such as ``/fleet/server``."""
        return self._cell.path

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self._cell.spec.name

    @property
    def uid(self) -> int:
        """Its number in its system."""
        return self._cell.uid

    @property
    def address(self) -> Address:
        """The ref as plain data."""
        return Address(self._cell.system.id, self._cell.uid, self._cell.path)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ActorRef):
            return NotImplemented
        return self._cell is other._cell

    def __hash__(self) -> int:
        return hash((self._cell.system.id, self._cell.uid))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path} uid={self.uid}>"

    @enable_ki_protection
    def tell_nowait(self, message: object) -> None:
        """Send, without waiting for room.

        Raises InvalidMessage (a TypeError) for what is no frozen attrs object, MailboxFull where there is
        no room and the mailbox does not drop, ActorStopped where the actor does not run any more, NoSystem
        in a thread that runs no Trio: there, `trio.from_thread.run_sync` calls it.
        """
        if not in_trio_run():
            raise NoSystem("tell_nowait()")
        cell = self._cell
        if message.__class__ not in cell.table:
            cell.check(message)
        envelope = Envelope(message, None, here.get())
        mailbox = cell.mailbox
        if len(mailbox.queue) < mailbox.limit and cell.system.observer is None:
            mailbox.put(envelope)
        elif not cell.place(envelope):
            raise MailboxFull(cell.path, mailbox.capacity)

    @enable_ki_protection
    async def tell(self, message: object) -> None:
        """Send, and wait for room where the mailbox is full and its policy is to wait. A checkpoint.

        Cancelled: it was not sent. Raises as `tell_nowait` does, but MailboxFull only where the policy is
        to reject.
        """
        cell = self._cell
        if message.__class__ not in cell.table:
            cell.check(message)
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
        except RuntimeError:
            raise NoSystem("tell()") from None
        envelope = Envelope(message, None, here.get())
        if cell.place(envelope):
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await cell.place_when_room(envelope, handling())

    @enable_ki_protection
    async def ask(self, message: Request[R]) -> R:
        """Send a request and wait for its answer. A checkpoint; set a deadline with `trio.fail_after`.

        Cancelled: the request is withdrawn, and skipped where it still waits. Raises ActorCrashed (with its
        cause) where the actor crashes while it has the request in hand, ActorStopped where it ends first,
        UnhandledMessage, ReplyDropped, MailboxFull where the policy is to reject or drop, and AskCycle
        where the actor waits, directly or through others, for the asking one.
        """
        cell = self._cell
        if message.__class__ not in cell.table:
            cell.check(message)
        if not isinstance(message, Request):
            raise InvalidMessage(message, "is no Request[R] and has no answer: tell() it")
        try:
            asker = handling()
            deadline = trio.current_effective_deadline()
        except RuntimeError:
            raise NoSystem("ask()") from None
        answer: Answer[R] = Answer()
        envelope = Envelope(message, answer, here.get(), deadline)
        if asker is None:
            return await _exchange(cell, envelope, answer, None)
        if cell.waits or cell.halted or cell is asker:
            refuse_circle(asker, cell, ANSWER, message)
        if not asker.may_wait_for(cell):
            raise ActorStopped(cell.path, message)
        asker.waits[answer] = (cell, ANSWER)
        try:
            return await _exchange(cell, envelope, answer, asker)
        finally:
            del asker.waits[answer]

    @enable_ki_protection
    async def stop(self) -> None:
        """End the actor through its supervisor, without a restart, and wait for its end. A checkpoint.

        In a Supervisor it is `SupervisorRef.terminate_child`: the spec stays, and a later restart of its
        group starts it again, as in OTP; `SupervisorRef.delete_child` takes it out of the group.

        It finishes the message in hand and has its shutdown time. Cancelled: it ends all the same. Harmless
        where it has ended. Raises AskCycle in a handler of the actor itself, of one below it, and of one that
        it waits for.
        """
        cell = self._cell
        if cell.at_rest:
            await trio.lowlevel.checkpoint()
        else:
            await cell.siblings.terminate(cell)

    @enable_ki_protection
    async def stopped(self) -> None:
        """Wait until it has ended, and nothing will restart it by itself. A checkpoint."""
        cell = self._cell
        if cell.at_rest:
            await trio.lowlevel.checkpoint()
            return
        waiter: Answer[None] = Answer()
        if cell.waiters is None:
            cell.waiters = []
        waiters = cell.waiters
        waiters.append(waiter)
        try:
            await waiter.wait()
        finally:
            waiters.remove(waiter)


async def _exchange(cell: Cell, envelope: Envelope, answer: Answer[R], asker: Cell | None) -> R:
    """Send a request; its answer may be there before the task that waits for room is back."""
    mailbox = cell.mailbox
    if len(mailbox.queue) < mailbox.limit and cell.system.observer is None:
        mailbox.put(envelope)
    elif not cell.place(envelope):
        await cell.place_when_room(envelope, asker)
    try:
        return await answer.wait()
    except BaseException:
        if answer.withdrawn:
            cell.forgo(envelope)
        raise
