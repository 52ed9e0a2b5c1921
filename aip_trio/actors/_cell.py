"""What of an actor outlives its incarnations: mailbox, ref, place in the tree, counters."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import trio

from aip_trio.actors._answer import Answer
from aip_trio.actors._child import Child, ChildState, Outcome, OutcomeKind
from aip_trio.actors._envelope import Envelope
from aip_trio.actors._events import DeadLetterReason
from aip_trio.actors._handlers import HandlerTable
from aip_trio.actors._mailbox import Mailbox, Overflow
from aip_trio.actors._message import check_message
from aip_trio.actors._observer import Step
from aip_trio.actors._spec import Flags, seconds_of
from aip_trio.actors._waiting import For, Waits, circle
from aip_trio.errors import ActorCrashed, ActorStopped, MailboxFull, NotRunning

if TYPE_CHECKING:
    from aip_trio.actors._actor import Actor
    from aip_trio.actors._children import Children
    from aip_trio.actors._monitor import Monitor
    from aip_trio.actors._ref import ActorRef
    from aip_trio.actors._system import ActorSystem
    from aip_trio.actors._timers import Timer

__all__ = ["Cell"]

logger = logging.getLogger("aip_trio.actors")

_NO_HANDLERS = HandlerTable()


@attrs.define(eq=False)
class Cell(Child):
    """A child with its shell: what the runtime keeps for one actor."""

    system: ActorSystem
    siblings: Children
    uid: int
    mailbox: Mailbox = attrs.field(init=False)
    ref: ActorRef = attrs.field(init=False)

    # one incarnation
    actor: Actor | None = attrs.field(init=False, default=None)
    table: HandlerTable = attrs.field(init=False, default=_NO_HANDLERS)
    task: trio.lowlevel.Task | None = attrs.field(init=False, default=None)
    nursery: trio.Nursery | None = attrs.field(init=False, default=None)
    #: in which its `stopping` runs
    last_scope: trio.CancelScope | None = attrs.field(init=False, default=None)
    in_hand: Envelope | None = attrs.field(init=False, default=None)
    children: Children | None = attrs.field(init=False, default=None)
    timers: set[Timer] | None = attrs.field(init=False, default=None)
    monitors: set[Monitor] | None = attrs.field(init=False, default=None)
    crash: BaseException | None = attrs.field(init=False, default=None)
    ignored: bool = attrs.field(init=False, default=False)
    wound_down: bool = attrs.field(init=False, default=False)
    #: take no more messages: told to stop, ending by itself, or failing
    halted: bool = attrs.field(init=False, default=False)
    #: its supervisor has told it to stop
    told_to_stop: bool = attrs.field(init=False, default=False)
    #: when its time for that is over, in Trio's clock
    deadline: float = attrs.field(init=False, default=math.inf)

    # all of them
    #: what its handler waits for at this moment
    waits: Waits = attrs.field(init=False, factory=Waits)
    #: requests whose answer it owes, because their handler took the Reply
    owed: dict[Answer[Any], object] | None = attrs.field(init=False, default=None)
    #: who is to be told of its end
    watchers: set[Monitor] | None = attrs.field(init=False, default=None)
    #: tasks that wait for its end
    waiters: list[Answer[None]] | None = attrs.field(init=False, default=None)
    #: its restart, where it waits for its backoff
    delay: Timer | None = attrs.field(init=False, default=None)
    handled: int = attrs.field(init=False, default=0)
    last_crash: BaseException | None = attrs.field(init=False, default=None)
    #: what its last incarnation ended with
    final_error: BaseException | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.mailbox = Mailbox(self.spec.mailbox, self.spec.overflow)

    @property
    def path(self) -> str:
        """Where it stands in the tree."""
        return f"{self.siblings.path.rstrip('/')}/{self.spec.name}"

    @property
    def grace(self) -> float:
        """Seconds for its end; 0 is brutal."""
        return seconds_of(self.spec.shutdown, default=self.actor.default_shutdown if self.actor else 5.0)

    @property
    def serves(self) -> bool:
        """Whether this incarnation may still take messages."""
        return self.active and not self.wound_down

    @property
    def at_rest(self) -> bool:
        """Whether it does not run, and nothing will restart it by itself."""
        return self.mailbox.closed

    # Messages in

    def check(self, message: object) -> None:
        """Refuse what is no message; one without a handler is the actor's to refuse."""
        check_message(message)

    def place(self, envelope: Envelope) -> bool:
        """Put a message where the mailbox's policy says; False: there is no room, and it says wait.

        Raises ActorStopped, or MailboxFull where the policy is to reject.
        """
        mailbox = self.mailbox
        if mailbox.closed:
            raise ActorStopped(self.path, envelope.message)
        if len(mailbox.queue) >= mailbox.limit:
            self._skip(mailbox.sweep_now_and_then())
        if len(mailbox.queue) >= mailbox.limit:
            if mailbox.overflow is Overflow.WAIT:
                return False
            if mailbox.overflow is Overflow.REJECT:
                raise MailboxFull(self.path, mailbox.capacity)
            if mailbox.overflow is Overflow.DROP_NEWEST:
                self._observe(Step.SENT, envelope)
                self.bury(envelope, DeadLetterReason.OVERFLOW)
                return True
            self.bury(mailbox.take(), DeadLetterReason.OVERFLOW)
        self._observe(Step.SENT, envelope)
        mailbox.put(envelope)
        return True

    async def place_when_room(self, envelope: Envelope, teller: Cell | None) -> None:
        """Wait for room. Raises ActorStopped where the actor ends before there is any.

        ``teller``: whose handler waits, if an actor's does.
        """
        if teller is not None and not teller.may_wait_for(self):
            raise ActorStopped(self.path, envelope.message)
        self._observe(Step.SENT, envelope)
        taken: Answer[bool] = Answer()
        if teller is not None:
            teller.waits[taken] = (self, For.ROOM)
        there = False
        try:
            there = await self.mailbox.put_when_room(envelope, taken)
        finally:
            if teller is not None:
                del teller.waits[taken]
            if not there:
                self._observe(Step.SKIPPED, envelope)
        if not there:
            raise ActorStopped(self.path, envelope.message)

    def post(self, message: object) -> Envelope:
        """Put a message of the runtime's own, past the mailbox's bound."""
        envelope = Envelope(message)
        self._observe(Step.SENT, envelope)
        self.mailbox.put(envelope)
        return envelope

    def forgo(self, request: Envelope) -> None:
        """Its asker has gone: where it waits in the mailbox, its room is for who waits for room."""
        answer = request.answer
        if answer is None or self.has_in_hand(answer) or self.owes(answer) or not self.mailbox.crowded:
            return
        gone = self.mailbox.sweep()
        self._skip(gone)
        for envelope in gone:
            envelope.answer = None  # those of their askers that have gone, too, need not look again

    def _skip(self, gone: list[Envelope]) -> None:
        for envelope in gone:
            self._observe(Step.SKIPPED, envelope)

    def _observe(self, step: Step, envelope: Envelope) -> None:
        if self.system.observer is not None:
            self.system.observer.observe(step, self.ref, envelope)

    # Messages out

    def bury(self, envelope: Envelope, reason: DeadLetterReason, error: BaseException | None = None) -> None:
        """A message ends as a dead letter; its asker, if one waits, gets the error that fits."""
        answer = envelope.answer
        if answer is not None and answer.withdrawn:
            self._observe(Step.SKIPPED, envelope)
            return
        if answer is not None:
            answer.fail(self._failure(envelope.message, reason, error))
        self._observe(Step.BURIED, envelope)
        self.system.bury(self, envelope, reason, error)

    def _failure(
        self, message: object, reason: DeadLetterReason, error: BaseException | None
    ) -> BaseException:
        if reason is DeadLetterReason.OVERFLOW:
            return MailboxFull(self.path, self.mailbox.capacity)
        if reason is DeadLetterReason.UNHANDLED and error is not None:
            return error
        if reason is DeadLetterReason.CRASHED:
            failure = ActorCrashed(self.path, message)
            failure.__cause__ = error
            return failure
        return ActorStopped(self.path, message, taken=reason is DeadLetterReason.CANCELLED)

    def owe(self, answer: Answer[Any], message: object) -> None:
        """A handler took the Reply: remember whom to tell if this incarnation ends first."""
        if self.owed is None:
            self.owed = {}
        self.owed[answer] = message

    def has_in_hand(self, answer: Answer[Any]) -> bool:
        """Whether its handler works on the request that this is to answer."""
        return self.in_hand is not None and self.in_hand.answer is answer

    def owes(self, answer: Answer[Any]) -> bool:
        """Whether a handler took the Reply, and it has not been used."""
        return self.owed is not None and answer in self.owed

    def paid(self, answer: Answer[Any]) -> None:
        """The Reply was used, or dropped."""
        if self.owed is not None:
            self.owed.pop(answer, None)

    def settle(self, error: BaseException | None) -> None:
        """The message in hand, and the answers owed, end with this incarnation."""
        reason = DeadLetterReason.CANCELLED if error is None else DeadLetterReason.CRASHED
        envelope, self.in_hand = self.in_hand, None
        if envelope is not None:
            self.bury(envelope, reason, error)
        owed, self.owed = self.owed, None
        for answer, message in (owed or {}).items():
            answer.fail(self._failure(message, reason, error))

    # Life

    def enter(self, nursery: trio.Nursery) -> None:
        """A new incarnation begins, with this nursery."""
        self.nursery = nursery
        self.task = trio.lowlevel.current_task()

    def fail(self, error: BaseException) -> None:
        """Record a crash; what else fails on the way down is kept with it."""
        self.halted = True
        if self.crash is None:
            self.crash = error
        elif error is not self.crash:
            both = [e for e in (self.crash, error) if isinstance(e, Exception)]
            self.crash = ExceptionGroup(f"{self.path} crashed, and again on its way down", both)

    def give_up(self, error: BaseException) -> None:
        """Crash, because its children did too often."""
        if not self.wound_down:
            self.fail(error)
            self._cancel()

    def end(self) -> None:
        """End by itself, in order, after the message in hand."""
        self.halted = True
        self.mailbox.wake()

    def stop(self) -> None:
        """Its supervisor's word: end within the shutdown time."""
        grace = self.grace
        self.told_to_stop = self.halted = True
        self.deadline = min(trio.current_time() + grace, self.siblings.deadline)
        self.give_up_waiting()
        if self.nursery is not None:
            if grace == 0 or self.since is None:  # a start is not waited for
                self._cancel()
            else:
                scope = self.nursery.cancel_scope
                scope.deadline = min(scope.deadline, self.deadline)
            self._report_later(grace)
        self.mailbox.wake()

    def may_wait_for(self, target: Cell) -> bool:
        """Whether its handler may wait for the target's: not for its next incarnation, once told to stop.

        That one may not be up before this actor has ended.
        """
        return target.serves or not self.told_to_stop

    def give_up_waiting(self) -> None:
        """Let its handler go on where it waits for what does not come before it has ended itself."""
        for answer, (target, what) in self.waits.items():
            if what is For.ROOM:
                if not self.may_wait_for(target):
                    answer.send(False)
            elif what is For.ANSWER:
                if not self.may_wait_for(target):
                    answer.fail(ActorStopped(target.path))
                    answer.withdrawn = True  # where the request still waits, it is skipped
            elif (found := circle(self, target, what, answer)) is not None:
                answer.fail(found)

    def hurry(self) -> None:
        """The whole system is cancelled: let go of the message in hand, and wait for the word to stop."""
        self.halted = True
        self.deadline = min(self.deadline, self.system.deadline)
        if self.last_scope is not None:
            self.last_scope.deadline = min(self.last_scope.deadline, self.deadline)
        self._cancel()

    @property
    def cancelled(self) -> bool:
        """Whether its nursery is: by its supervisor, by its own hand, or by a task that failed in it."""
        return self.nursery is not None and self.nursery.cancel_scope.cancel_called

    def _cancel(self) -> None:
        if self.nursery is not None:
            self.nursery.cancel_scope.cancel()

    def _report_later(self, grace: float) -> None:
        """There is no way to kill a task: where cancelling does not help, at least say so."""
        if math.isinf(self.deadline):
            return
        incarnation = self.incarnations

        def report() -> None:
            if self.state is ChildState.STOPPING and self.incarnations == incarnation:
                logger.error(
                    "%s does not stop: it was cancelled %.1f s after it was told to, and still runs;"
                    " look for a shielded scope or blocking code in it",
                    self.path,
                    grace,
                )

        self.keep_at(self.deadline + 1.0, report)

    def keep_at(self, deadline: float, action: Callable[[], object]) -> Timer:
        """A timer that ends with this incarnation."""
        if self.timers is None:
            self.timers = set()
        return self.system.timers.at(deadline, action, self.timers)

    def family(self) -> Children:
        """Its children, in whose supervision more can be started."""
        if self.wound_down:
            raise NotRunning("spawn()", self.path)
        if self.children is None:
            self.children = self.system.children_of(self, Flags(owned=True, window=self.system.window))
            self.children.open()
        return self.children

    def wind_down(self) -> None:
        """Take no more messages: its children end, and then it does."""
        self.halted = self.wound_down = True
        if not self.siblings.supervision.awaited:
            return
        # Of those that are being stopped, some may be waiting for this one, whose restart waits for them.
        for sender in {e.origin.cell for e in self.mailbox.waiting if e.origin is not None}:
            if sender is not None and sender.told_to_stop:
                sender.give_up_waiting()

    def leave(self) -> Outcome:
        """This incarnation has ended: take stock, and make room for the next."""
        outcome = self._outcome()
        self.settle(self.crash)
        for timer in tuple(self.timers or ()):
            timer.cancel()
        for monitor in tuple(self.monitors or ()):
            monitor.cancel()
        self.final_error = self.crash
        self.last_crash = self.crash or self.last_crash
        self.actor = self.task = self.nursery = self.last_scope = self.children = self.timers = (
            self.monitors
        ) = None
        self.crash = None
        self.ignored = self.wound_down = self.halted = self.told_to_stop = False
        self.deadline = math.inf
        return outcome

    def _outcome(self) -> Outcome:
        if self.crash is not None:
            return Outcome(OutcomeKind.CRASHED, self.crash)
        if self.ignored:
            return Outcome(OutcomeKind.IGNORED)
        return Outcome(OutcomeKind.STOPPED if self.told_to_stop else OutcomeKind.NORMAL)

    def call_off(self) -> None:
        """Its restart is not to wait for its backoff any more."""
        if self.delay is not None:
            self.delay.cancel()
            self.delay = None

    def rest(self) -> None:
        """It does not run, and nothing will restart it by itself: whoever waits is told."""
        self.call_off()
        if self.mailbox.closed:
            return
        self.mailbox.close(lambda envelope: self.bury(envelope, DeadLetterReason.STOPPED))
        waiters, self.waiters = self.waiters, None
        for waiter in waiters or ():
            waiter.send(None)
        watchers, self.watchers = self.watchers, None
        for monitor in watchers or ():
            monitor.tell()
