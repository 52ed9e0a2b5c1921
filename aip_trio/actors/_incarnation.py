"""One life of an actor: constructor, started, messages, stopping.

The actor's task owns a nursery. In it run the tasks that the actor starts in ``self.nursery``, and its
children, each behind a shield of its own: a crash or a cancellation of the actor reaches them only as
its orderly stop of them. So the tree of actors is a tree of nurseries, and no task outlives it.

A KeyboardInterrupt at any line of the runtime could leave it half-done, and then its end would hang. So
functions here and all over this package are protected from it: Trio raises it at the next chance in the
main task instead. What the user wrote is not protected: it may never come to an end by itself.
"""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection

from aip_trio.actors._actor import Actor, Ignore, StopReason
from aip_trio.actors._envelope import Here, here
from aip_trio.actors._events import DeadLetterReason
from aip_trio.actors._groups import bare, interrupts
from aip_trio.actors._observer import Step
from aip_trio.actors._reply import Reply
from aip_trio.errors import InvalidSpec, NotAnActor, StopTimeout, UnhandledMessage

if TYPE_CHECKING:
    from aip_trio.actors._cell import Cell
    from aip_trio.actors._envelope import Envelope
    from aip_trio.actors._spec import ChildSpec

__all__ = ["incarnate"]

logger = logging.getLogger("aip_trio.actors")

#: Messages that are handled before the scheduler has its turn, where handlers do not give it one.
_BATCH = 64


@enable_ki_protection
async def incarnate(cell: Cell) -> None:  # noqa: ASYNC910 - not called from outside
    """Run one incarnation in this task, and report its end to the supervisor."""
    here.set(Here(cell.system, cell))
    interrupted = False
    try:
        async with trio.open_nursery() as nursery:
            # Only its supervisor ends an actor: a cancellation from outside reaches it through the
            # orderly stop of the whole tree.
            nursery.cancel_scope.shield = True
            cell.enter(nursery)
            try:
                await _live(cell)
            except Ignore as declined:
                if cell.since is None:
                    cell.ignored = True
                else:  # too late to decline
                    cell.fail(declined)
            except Exception as error:  # noqa: BLE001 - what it is, its supervisor is told
                cell.fail(error)
            except BaseException as error:
                if interrupted := interrupts(error):  # what is below is not to be waited for in its own time
                    cell.system.fatal(bare(error))
                raise
            finally:
                await _wind_down(cell, at_once=interrupted)  # noqa: ASYNC102 - shielded inside
                nursery.cancel_scope.cancel()
    except Exception as error:  # noqa: BLE001 - the nursery's: a background task's crash, or cleanup's
        cell.fail(bare(error))
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001, ASYNC103 - raised by open_system()
        # KeyboardInterrupt and its like are nobody's crash to be restarted: they end the system.
        cell.system.fatal(bare(error))
    if cell.last_scope is None:  # where its nursery failed; now it is known why
        cell.settle(cell.crash)
        await _stopping(cell)
    cell.siblings.down(cell, cell.leave())


async def _live(cell: Cell) -> None:
    """Everything from the constructor to the last message."""
    if cell.halted:  # told to stop before it began
        return  # noqa: ASYNC910 - not called from outside
    actor = _construct(cell)
    await actor._bring_up()
    cell.siblings.up(cell)
    await _serve(cell, actor)


def _construct(cell: Cell) -> Actor:
    spec = cell.spec
    actor = _call_factory(spec)
    if not isinstance(actor, Actor):
        if inspect.iscoroutine(actor):
            actor.close()  # else Python warns of it, too
        raise NotAnActor(spec.factory, actor)
    if not actor._adopt(cell):
        raise InvalidSpec(
            "factory", spec.factory, "returned an actor that is, or was, in use: make a new one at each call"
        )
    cell.actor = actor
    if not isinstance(cell.ref, actor._ref_class):
        cell.ref = actor._ref_class(cell)
    cell.table = type(actor)._handlers
    return actor


@disable_ki_protection
def _call_factory(spec: ChildSpec) -> object:
    return spec.factory(*spec.args)


@disable_ki_protection
async def _serve(cell: Cell, actor: Actor) -> None:  # noqa: ASYNC910 - not called from outside
    """Handle messages, one at a time, until halted."""
    mailbox = cell.mailbox
    table = cell.table
    observer = cell.system.observer
    trace: str | None = None
    left = _BATCH
    while not cell.halted:
        if not mailbox.queue:
            await mailbox.wait()
            left = _BATCH
            continue
        envelope = cell.in_hand = mailbox.take()
        answer = envelope.answer
        if answer is not None and answer.withdrawn:
            cell.in_hand = None
            if observer is not None:
                observer.observe(Step.SKIPPED, cell.ref, envelope)
            continue
        if observer is not None:
            observer.observe(Step.TAKEN, cell.ref, envelope)
        origin = envelope.origin
        if (origin.trace if origin is not None else None) != trace:  # a timer's message has none
            trace = envelope.trace
            here.set(Here(cell.system, cell, trace))
        message = envelope.message
        handler = table.get(message.__class__) or table.find(message.__class__)
        if handler is None:
            _unhandled(cell, envelope)
        elif not handler.deferred:
            value = await handler.function(actor, message)
            if answer is not None:
                answer.send(value)
        else:
            if answer is not None:
                cell.owe(answer, message)
            await handler.function(actor, message, Reply(cell, message, answer))
        cell.in_hand = None
        if handler is not None:
            cell.handled += 1
            if observer is not None:
                observer.observe(Step.HANDLED, cell.ref, envelope)
        left -= 1
        if not left:
            await trio.lowlevel.checkpoint()
            left = _BATCH


@enable_ki_protection
def _unhandled(cell: Cell, envelope: Envelope) -> None:
    error = UnhandledMessage(cell.path, envelope.message, cell.table.names)
    if envelope.answer is None:
        logger.warning("%s", error)
    cell.bury(envelope, DeadLetterReason.UNHANDLED, error)


async def _wind_down(cell: Cell, *, at_once: bool) -> None:  # noqa: ASYNC910 - not called from outside
    """Stop the children, then the actor itself, unless its nursery failed: then `stopping` waits for why.

    ``at_once``: without waiting for its turn in a hurried end.
    """
    cell.wind_down()
    unexplained = cell.cancelled and cell.crash is None and not (cell.told_to_stop or cell.system.hurrying)
    if not unexplained:
        cell.settle(cell.crash)
    _report_lateness(cell)
    if cell.system.hurrying or cell.children is not None:
        with trio.CancelScope(shield=True):
            if not at_once:
                await _await_turn(cell)
            if cell.children is not None:
                await cell.children.shutdown()
    if not unexplained:
        await _stopping(cell)


async def _await_turn(cell: Cell) -> None:  # noqa: ASYNC910 - not called from outside
    """A hurried end goes through the tree in order, too: it begins with the supervisor's word."""
    while cell.system.hurrying and not cell.told_to_stop:
        await cell.mailbox.wait()


def _report_lateness(cell: Cell) -> None:
    """Say so where an actor had to be cancelled, because its handler outlasted its shutdown time."""
    late = cell.told_to_stop and cell.since is not None and trio.current_time() >= cell.deadline
    if late and cell.grace > 0 and not cell.system.hurrying:
        logger.error("%s", StopTimeout(cell.path, cell.grace))


async def _stopping(cell: Cell) -> None:  # noqa: ASYNC910 - not called from outside
    """Call the actor's `stopping`, shielded, within its shutdown time."""
    actor = cell.actor
    if actor is None or cell.ignored or cell.grace == 0:
        return  # noqa: ASYNC910 - not called from outside
    if type(actor).stopping is Actor.stopping:  # most have nothing to do
        return  # noqa: ASYNC910 - not called from outside
    now = trio.current_time()
    own = cell.deadline if cell.told_to_stop else now + cell.grace
    scope = trio.CancelScope(shield=True, deadline=max(now, min(own, cell.system.deadline)))
    cell.last_scope = scope
    try:
        with scope:
            await _call_stopping(actor, _reason(cell))
    except Exception as error:  # noqa: BLE001 - a crash like any other
        cell.fail(error)
    except BaseException as error:  # noqa: ASYNC103 - raised by open_system()
        if not interrupts(error):
            raise
        cell.system.fatal(bare(error))
    if scope.cancelled_caught and cell.system.hurrying:
        logger.error(
            "%s: stopping() was cut off, since cancel_grace=%s s for the whole tree are over",
            cell.path,
            cell.system.cancel_grace,
        )
    elif scope.cancelled_caught and own > now:  # else it was said before
        logger.error("%s", StopTimeout(cell.path, cell.grace))


@disable_ki_protection
async def _call_stopping(actor: Actor, reason: StopReason | BaseException) -> None:
    await actor.stopping(reason)


def _reason(cell: Cell) -> StopReason | BaseException:
    if cell.crash is not None:
        return cell.crash
    return StopReason.SHUTDOWN if cell.told_to_stop else StopReason.NORMAL
