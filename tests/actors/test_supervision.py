"""The pure core of supervision, where children report late, in any order, and calls come in between."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import given, strategies as st

from aip_trio.actors import AutoShutdown, Backoff, ChildSpec, OutcomeKind, RestartType, Strategy
from aip_trio.actors._child import Child
from aip_trio.actors._spec import Flags
from aip_trio.resilience import RestartWindow
from tests.actors.model._loose import Body, Loose, spec
from tests.actors.model._settings import examples

_BACKOFFS = st.builds(
    Backoff,
    initial=st.sampled_from([1.0, 0.0]),
    jitter=st.booleans(),
    reset_after=st.sampled_from([2.0, 0.0]),
    max_retries=st.sampled_from([None, 1, 0, 3]),
)
_RESTARTS = [*[RestartType.PERMANENT, RestartType.TRANSIENT] * 2, RestartType.TEMPORARY]
_GROUPS = [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE]
_NAMES = ["a", "b", "c", "d"]
T = TypeVar("T")


@st.composite
def flags(draw: st.DrawFn) -> Flags:
    """Any supervisor's, or an owner's."""
    window = RestartWindow(draw(st.sampled_from([3, 2, 5, 1, 0])), draw(st.sampled_from([2.0, 1.0])))
    strategy = draw(
        st.sampled_from([*_GROUPS, *_GROUPS, Strategy.ONE_FOR_ONE, Strategy.SIMPLE_ONE_FOR_ONE, None])
    )
    if strategy is None:
        return Flags(window=window, owned=True)
    auto = AutoShutdown.NEVER
    if strategy is not Strategy.SIMPLE_ONE_FOR_ONE:
        auto = draw(st.sampled_from([*[AutoShutdown.NEVER] * 3, *AutoShutdown]))
    return Flags(strategy=strategy, window=window, auto_shutdown=auto)


@st.composite
def specs(draw: st.DrawFn, flags: Flags, name: str) -> ChildSpec:
    """A child's that goes with these flags."""
    restart = draw(st.sampled_from(_RESTARTS))
    may_be = flags.auto_shutdown is not AutoShutdown.NEVER and restart is not RestartType.PERMANENT
    significant = may_be and draw(st.booleans())
    backoff = draw(st.none() | _BACKOFFS) if restart is not RestartType.TEMPORARY else None
    return spec(name, restart=restart, significant=significant, backoff=backoff)


class Chance:
    """Draws what happens next, among what can."""

    def __init__(self, data: st.DataObject, loose: Loose) -> None:
        self.data = data
        self.loose = loose
        #: whom most of it happens to, so that rare cases come together
        self.victim = self.of(["", "a", "b", "e"])

    def step(self) -> None:
        """One report, delay, call, or a while, of what can be."""
        lives = self.loose.lives.items()
        moves = [self.call, self.wait]
        if starting := [child for child, life in lives if life.body is Body.STARTING]:
            moves += [lambda: self.loose.up(self.one_of(starting))] * 3
        if told := [child for child, life in lives if life.told]:
            moves += [lambda: self.stopped(told)] * 3
        if alive := [child for child, life in lives if not life.told]:
            moves += [lambda: self.end(alive)] * 2
        if delays := len(self.loose.delays) + len(self.loose.past_delays):
            moves += [lambda: self.loose.due(self.data.draw(st.integers(0, delays - 1)))]
        self.of(moves)()

    def of(self, choices: Sequence[T]) -> T:
        return choices[self.data.draw(st.integers(0, len(choices) - 1))]

    def one_of(self, children: list[Child]) -> Child:
        victims = [child for child in children if child.spec.name == self.victim]
        return self.of([*children, *victims * 3])

    def end(self, alive: list[Child]) -> None:
        """By itself; before it was up, too."""
        child = self.one_of(alive)
        starting = self.loose.lives[child].body is Body.STARTING
        other = OutcomeKind.IGNORED if starting else OutcomeKind.NORMAL
        self.loose.down(child, self.of([OutcomeKind.CRASHED, OutcomeKind.CRASHED, other]))

    def stopped(self, told: list[Child]) -> None:
        """Because it was told to; it may also have crashed, or declined, just before."""
        self.loose.down(self.one_of(told), self.of([OutcomeKind.STOPPED, *OutcomeKind]))

    def call(self) -> None:
        loose = self.loose
        name = self.of([*_NAMES, "e", "f", "nobody"])
        name = self.of([name, self.victim or name])
        match self.of(["start", "terminate", "stop", "restart", "restart", "delete", "abandon"]):
            case "terminate":
                loose.terminate_child(name)
            case "stop":
                if children := [child for child in loose.known if child.spec.name == name]:
                    loose.stop(self.of(children))
            case "start":
                loose.start_child(self.data.draw(specs(loose.flags, name)))
            case "restart":
                loose.restart_child(name)
            case "delete":
                loose.delete_child(name)
            case _:
                if loose.abandonable:
                    loose.abandon(self.of(loose.abandonable))

    def wait(self) -> None:
        self.loose.now += self.of([1.0, 0.5, 3.0])


@examples(250)
@given(st.data())
def test_whatever_the_order_of_reports_it_keeps_its_promises(data: st.DataObject) -> None:
    loose = Loose(data.draw(flags()))
    chance = Chance(data, loose)
    names = [] if loose.flags.dynamic else _NAMES[: chance.of([3, 2, 4, 1, 0])]
    loose.begin([data.draw(specs(loose.flags, name)) for name in names])
    for _ in range(data.draw(st.integers(0, 60))):
        if not loose.ended:
            chance.step()
    if data.draw(st.booleans()):
        loose.settle()
        loose.check_rest()
    if chance.of([False, False, True]):
        loose.freeze()
        for _ in range(data.draw(st.integers(0, 10))):
            chance.step()
    loose.shutdown()
    for _ in range(data.draw(st.integers(0, 10))):
        chance.step()
    loose.settle()
    loose.check_rest()
    loose.check_end()
    loose.check_window()
