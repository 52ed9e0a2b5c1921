"""What a supervisor knows of a child before it starts it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack

import attrs

from aip_trio.actors._mailbox import Overflow
from aip_trio.errors import InvalidSpec
from aip_trio.resilience import Backoff, RestartWindow

if TYPE_CHECKING:
    from aip_trio.actors._actor import Actor

__all__ = [
    "AutoShutdown",
    "ChildOptions",
    "ChildSpec",
    "Flags",
    "Isolation",
    "RestartType",
    "Shutdown",
    "Strategy",
    "factory_name",
    "is_seconds",
    "seconds_of",
]


class RestartType(Enum):
    """When a child that ended is started again."""

    PERMANENT = "permanent"  #: always
    TRANSIENT = "transient"  #: unless it ended normally
    TEMPORARY = "temporary"  #: never; it is forgotten


class Strategy(Enum):
    """What else is restarted with a child."""

    ONE_FOR_ONE = "one_for_one"  #: nothing
    ONE_FOR_ALL = "one_for_all"  #: all its siblings
    REST_FOR_ONE = "rest_for_one"  #: those that were started after it
    SIMPLE_ONE_FOR_ONE = "simple_one_for_one"  #: nothing; all children are made from one spec


class AutoShutdown(Enum):
    """When a supervisor ends because its significant children did."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


#: Seconds that a child has for its end, or ``"brutal"`` (cancelled at once, without ``stopping``), or
#: ``"infinity"``.
Shutdown = float | Literal["brutal", "infinity"]


class Isolation:
    """Where a child runs, if not in this process: the type of what a launcher supplies."""


class ChildOptions(TypedDict, total=False):
    """The options of a child, as keywords; `ChildSpec` says what they mean."""

    restart: RestartType | Literal["permanent", "transient", "temporary"]
    shutdown: Shutdown | None
    significant: bool
    backoff: Backoff | None
    mailbox: int
    overflow: Overflow | Literal["wait", "reject", "drop_oldest", "drop_newest"]
    isolation: Isolation | None


_OPTIONS = frozenset(ChildOptions.__annotations__)

E = TypeVar("E", bound=Enum)


def _member(kind: type[E], field: str, value: object) -> E:
    """An enum's member, given as itself or as its value."""
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(repr(member.value) for member in kind)
        raise InvalidSpec(field, value, f"choose one of {choices}") from None


@attrs.frozen(init=False)
class ChildSpec:
    """How to start, restart and stop one child.

    ``factory(*args)`` is called anew for every incarnation and returns an `Actor`. Options:

    - ``restart``: permanent (the default in a Supervisor), transient, temporary.
    - ``shutdown``: seconds for its end, "brutal" or "infinity"; None: 5 s for an actor, "infinity" for
      a supervisor.
    - ``significant``: its own end may end its supervisor (see ``auto_shutdown``).
    - ``backoff``: a `Backoff` between its restarts. They then do not count towards the supervisor's
      intensity; the backoff's ``max_retries`` limits them.
    - ``mailbox``: how many messages may wait (default 256); ``overflow``: what happens with one more.

    Raises `InvalidSpec`, a ValueError, that names the option.
    """

    name: str
    factory: Callable[..., Actor]
    args: tuple[Any, ...] = ()
    restart: RestartType = RestartType.PERMANENT
    shutdown: Shutdown | None = None
    significant: bool = False
    backoff: Backoff | None = None
    mailbox: int = 256
    overflow: Overflow = Overflow.WAIT
    isolation: Isolation | None = None

    def __init__(
        self, name: str, factory: Callable[..., Actor], *args: object, **options: Unpack[ChildOptions]
    ) -> None:
        values: dict[str, Any] = {**options}
        for unknown in values.keys() - _OPTIONS:
            known = ", ".join(sorted(_OPTIONS))
            raise InvalidSpec(
                unknown,
                values[unknown],
                f"no such option: choose from {known};"
                " keywords for the factory itself go into functools.partial(factory, …)",
            )
        for option, kind in (("restart", RestartType), ("overflow", Overflow)):
            if option in values:
                values[option] = _member(kind, option, values[option])
        self.__attrs_init__(name, factory, args, **values)  # pyright: ignore  # attrs makes it, unseen

    def __attrs_post_init__(self) -> None:
        _check_name(self.name)
        if not callable(self.factory):
            raise InvalidSpec(
                "factory", self.factory, "give a callable that returns an Actor, such as its class"
            )
        _check_shutdown(self.shutdown)
        if isinstance(self.mailbox, bool) or not isinstance(self.mailbox, int) or self.mailbox < 1:
            raise InvalidSpec("mailbox", self.mailbox, "give a number of messages, 1 or more")
        if self.backoff is not None and not isinstance(self.backoff, Backoff):
            raise InvalidSpec("backoff", self.backoff, "give a Backoff(...), or None")
        if self.isolation is not None:
            raise InvalidSpec(
                "isolation", self.isolation, "nothing here can run an actor elsewhere yet: leave it None"
            )
        if not isinstance(self.significant, bool):
            raise InvalidSpec("significant", self.significant, "give True or False")
        if self.significant and self.restart is RestartType.PERMANENT:
            raise InvalidSpec(
                "significant", True, "a permanent child never ends: make it transient or temporary"
            )
        if self.backoff is not None and self.restart is RestartType.TEMPORARY:
            raise InvalidSpec("backoff", self.backoff, "a temporary child is never restarted: leave it None")

    def another(self, name: str, *args: object) -> ChildSpec:
        """The same under another name, with more arguments."""
        options: Any = {option: getattr(self, option) for option in _OPTIONS}
        return ChildSpec(name, self.factory, *self.args, *args, **options)

    @property
    def title(self) -> str:
        """The factory's name, for people."""
        return factory_name(self.factory)


def factory_name(factory: Callable[..., Actor]) -> str:
    """A factory's name, for people: its class or function, without partial's wrapping."""
    while isinstance(factory, functools.partial):
        factory = factory.func
    return getattr(factory, "__name__", type(factory).__name__)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise InvalidSpec("name", name, "give a non-empty string")
    if "/" in name or not name.isprintable():
        raise InvalidSpec("name", name, "a name is one part of a path: no '/', printable characters only")


def _check_shutdown(shutdown: object) -> None:
    if not (shutdown is None or shutdown in ("brutal", "infinity") or is_seconds(shutdown)):
        raise InvalidSpec("shutdown", shutdown, 'give seconds, 0 or more, or "brutal" or "infinity"')


def is_seconds(value: object) -> bool:
    """Whether it can be a time for an end."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _strategy(value: object) -> Strategy:
    return _member(Strategy, "strategy", value)


def _auto_shutdown(value: object) -> AutoShutdown:
    return _member(AutoShutdown, "auto_shutdown", value)


@attrs.frozen(kw_only=True)
class Flags:
    """How a supervisor treats its children.

    ``owned``: the children of the root or of an actor: each has an intensity window of its own, and
    one that has ended is forgotten, since nobody could ask for its restart.
    """

    strategy: Strategy = attrs.field(default=Strategy.ONE_FOR_ONE, converter=_strategy)
    window: RestartWindow = attrs.field(factory=RestartWindow)
    auto_shutdown: AutoShutdown = attrs.field(default=AutoShutdown.NEVER, converter=_auto_shutdown)
    owned: bool = False

    def __attrs_post_init__(self) -> None:
        if self.strategy is Strategy.SIMPLE_ONE_FOR_ONE and self.auto_shutdown is not AutoShutdown.NEVER:
            raise InvalidSpec(
                "auto_shutdown",
                self.auto_shutdown.value,
                "children of simple_one_for_one are not significant",
            )

    @property
    def dynamic(self) -> bool:
        """Whether the specs of children that do not run are not kept."""
        return self.owned or self.strategy is Strategy.SIMPLE_ONE_FOR_ONE

    def check(self, spec: ChildSpec) -> None:
        """Refuse a spec that contradicts these flags."""
        if not isinstance(spec, ChildSpec):
            raise InvalidSpec("child", spec, "give a ChildSpec(name, factory, *args, **options)")
        if not spec.significant:
            return
        if self.auto_shutdown is AutoShutdown.NEVER:
            raise InvalidSpec(
                "significant",
                True,
                f"child {spec.name!r} cannot be, while auto_shutdown='never':"
                " choose any_significant or all_significant, or leave it out",
            )


def seconds_of(shutdown: Shutdown | None, *, default: float) -> float:
    """A child's time for its end; 0 is brutal."""
    if shutdown is None:
        return default
    if shutdown == "infinity":
        return math.inf
    return 0.0 if shutdown == "brutal" else float(shutdown)
