"""What the caller does wrong: each is a typed error that names the value and what to do."""

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import trio

from aip_trio.actors import (
    Actor,
    ActorRef,
    Backoff,
    ChildSpec,
    Isolation,
    RestartType,
    Supervisor,
    SupervisorRef,
    handles,
    open_system,
)
from aip_trio.errors import (
    ActorStopped,
    InvalidHandler,
    InvalidMessage,
    InvalidSpec,
    NameTaken,
    NoSystem,
    NotAnActor,
    SystemClosed,
    UsageError,
)
from tests.actors.support import Count, Echo, Keeper, Put, virtual


def told(error: UsageError, *parts: str) -> None:
    """Its text names all of these, in one line."""
    text = str(error)
    assert "\n" not in text
    for part in parts:
        assert part in text


# Messages


@attrs.define
class Mutable:
    number: int


@attrs.frozen
class Fine:
    pass


MESSAGES: list[tuple[object, tuple[str, ...]]] = [
    ("text", ("message='text'", "is a str, no message", "@attrs.frozen")),
    (None, ("message=None", "is a NoneType", "@attrs.frozen")),
    ({"a": 1}, ("message={'a': 1}", "is a dict")),
    (Mutable(1), ("message=Mutable(number=1)", "can change", "@attrs.frozen")),
    (Fine, ("is a class: send an instance of it",)),
]


@pytest.mark.parametrize(("message", "parts"), MESSAGES)
@virtual
async def test_what_is_no_message_is_refused_by_every_call_that_takes_one(
    message: Any, parts: tuple[str, ...]
) -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        errors: list[UsageError] = []
        for send in (keeper.tell, keeper.ask):
            with pytest.raises(InvalidMessage) as raised:
                await send(message)
            errors.append(raised.value)
        with pytest.raises(InvalidMessage) as raised:
            keeper.tell_nowait(message)
        errors.append(raised.value)
        for error in errors:
            assert isinstance(error, TypeError)
            assert raised.value.value is message
            told(error, *parts)
        assert system.statistics().crashes == 0


@virtual
async def test_what_is_no_request_cannot_be_asked() -> None:
    wrong: Any = Put(1)
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        with pytest.raises(InvalidMessage) as raised:
            await keeper.ask(wrong)
        told(raised.value, "message=Put(item=1)", "is no Request[R]", "tell() it")


@virtual
async def test_a_value_of_any_size_is_cut_in_the_text() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        with pytest.raises(InvalidMessage) as raised:
            await keeper.tell("x" * 100_000)
        assert len(str(raised.value)) < 500


@virtual
async def test_a_value_whose_repr_fails_is_told_all_the_same() -> None:
    class Mute:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        with pytest.raises(InvalidMessage) as raised:
            await keeper.tell(Mute())
        told(raised.value, "Mute whose repr raises ZeroDivisionError")


# Handlers (each way to get one wrong: test_handlers.py)


def test_a_handler_without_annotation_is_refused() -> None:
    with pytest.raises(InvalidHandler) as raised:

        class Broken(Actor):
            @handles
            async def ping(self, message):  # type: ignore[no-untyped-def]  # pyright: ignore
                pass

    assert isinstance(raised.value, TypeError)
    told(raised.value, "Broken.ping", "'message' has no annotation", "annotate it")


def test_two_handlers_for_one_class_are_refused() -> None:
    with pytest.raises(InvalidHandler) as raised:

        class Broken(Actor):
            @handles
            async def one(self, message: Fine) -> None: ...

            @handles
            async def other(self, message: Fine) -> None: ...

    told(raised.value, "Broken.other", "Fine is handled by one()", "keep one, or override")


# Names


@virtual
async def test_a_name_that_is_taken_is_refused() -> None:
    async with open_system() as system:
        first = await system.spawn(Keeper, name="keeper")
        with pytest.raises(NameTaken) as raised:
            await system.spawn(Keeper, name="keeper")
        assert isinstance(raised.value, ValueError)
        assert (raised.value.name, raised.value.parent) == ("keeper", "/")
        told(raised.value, "name='keeper' is taken under '/'", "choose another one")
        assert system.find("/keeper") == first


@virtual
async def test_a_name_is_taken_among_siblings_only() -> None:
    class Parent(Keeper):
        async def started(self) -> None:
            await self.spawn(Keeper, name="keeper")
            with pytest.raises(NameTaken) as raised:
                await self.spawn(Keeper, name="keeper")
            assert raised.value.parent == self.path

    async with open_system() as system:
        await system.spawn(Keeper, name="keeper")
        await system.spawn(Parent, name="parent")
        assert system.find("/parent/keeper") is not None


@pytest.mark.parametrize("name", ["", "a/b", "/", 7, None, "a\nb", "\x00"])
def test_a_name_that_is_no_part_of_a_path_is_refused(name: Any) -> None:
    with pytest.raises(InvalidSpec) as raised:
        ChildSpec(name, Keeper)
    assert isinstance(raised.value, ValueError)
    told(raised.value, f"name={name!r}")


def test_two_children_of_one_name_are_refused() -> None:
    @virtual
    async def run() -> None:
        async with open_system() as system:
            with pytest.raises(InvalidSpec) as raised:
                await system.spawn(Supervisor, ChildSpec("keeper", Keeper), ChildSpec("keeper", Keeper))
            told(raised.value, "name='keeper'", "unique among siblings")

    run()


# Specs

SPECS: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({"significant": True}, "significant", ("permanent child never ends", "transient or temporary")),
    ({"restart": "always"}, "restart", ("restart='always'", "'permanent', 'transient', 'temporary'")),
    (
        {"overflow": "block"},
        "overflow",
        ("overflow='block'", "'wait', 'reject', 'drop_oldest', "),
    ),
    ({"overflow": []}, "overflow", ("overflow=[]",)),
    ({"shutdown": -1}, "shutdown", ("shutdown=-1", "0 or more")),
    ({"shutdown": "now"}, "shutdown", ("shutdown='now'", '"brutal" or "infinity"')),
    ({"shutdown": float("nan")}, "shutdown", ("shutdown=nan",)),
    ({"shutdown": True}, "shutdown", ("shutdown=True",)),
    ({"mailbox": 0}, "mailbox", ("mailbox=0", "1 or more")),
    ({"mailbox": 1.5}, "mailbox", ("mailbox=1.5",)),
    ({"mailbox": True}, "mailbox", ("mailbox=True",)),
    ({"backoff": 3}, "backoff", ("backoff=3", "Backoff(...)")),
    ({"backoff": Backoff(), "restart": "temporary"}, "backoff", ("never restarted",)),
    ({"isolation": Isolation()}, "isolation", ("leave it None",)),
    ({"color": "red"}, "color", ("color='red'", "no such option", "restart, ")),
]


@pytest.mark.parametrize(("options", "field", "parts"), SPECS)
def test_a_spec_that_contradicts_itself_is_refused(
    options: dict[str, Any], field: str, parts: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidSpec) as raised:
        ChildSpec("keeper", Keeper, **options)
    assert isinstance(raised.value, ValueError)
    assert raised.value.field == field
    told(raised.value, *parts)


@pytest.mark.parametrize(("options", "field", "parts"), SPECS[1:])
@virtual
async def test_spawn_refuses_the_same(options: dict[str, Any], field: str, parts: tuple[str, ...]) -> None:
    async with open_system() as system:
        with pytest.raises(InvalidSpec) as raised:
            await system.spawn(Keeper, **options)
        assert raised.value.field == field
        told(raised.value, *parts)
        assert system.tree().children == ()


def test_a_factory_that_cannot_be_called_is_refused() -> None:
    wrong: Any = Keeper()
    with pytest.raises(InvalidSpec) as raised:
        ChildSpec("keeper", wrong)
    told(raised.value, "factory=", "give a callable that returns an Actor")


def test_an_enum_is_as_good_as_its_value() -> None:
    by_member = ChildSpec("keeper", Keeper, restart=RestartType.TEMPORARY)
    assert by_member == ChildSpec("keeper", Keeper, restart="temporary")


FLAGS: list[tuple[dict[str, Any], str, str]] = [
    ({"intensity": -1}, "intensity", "intensity=-1: give a number of restarts, 0 or more"),
    ({"intensity": 1.5}, "intensity", "intensity=1.5: give a number of restarts, 0 or more"),
    ({"period": 0}, "period", "period=0: give seconds, more than 0"),
    ({"period": "5"}, "period", "period='5': give seconds, more than 0"),
    ({"strategy": "all"}, "strategy", "strategy='all': choose one of 'one_for_one', "),
    ({"auto_shutdown": True}, "auto_shutdown", "auto_shutdown=True: choose one of 'never', "),
]


@pytest.mark.parametrize(("flags", "field", "text"), FLAGS)
def test_wrong_flags_of_a_supervisor_are_refused(flags: dict[str, Any], field: str, text: str) -> None:
    with pytest.raises(InvalidSpec) as raised:
        Supervisor(**flags)
    assert raised.value.field == field
    told(raised.value, text)


SIGNIFICANT = ChildSpec("keeper", Keeper, restart="transient", significant=True)


@virtual
async def test_a_significant_child_of_a_supervisor_without_auto_shutdown_is_refused() -> None:
    async with open_system() as system:
        with pytest.raises(InvalidSpec) as raised:
            await system.spawn(Supervisor, SIGNIFICANT)
        told(raised.value, "significant=True", "'keeper'", "auto_shutdown='never'", "any_significant")


@virtual
async def test_a_significant_child_of_the_root_or_of_an_actor_is_refused() -> None:
    async with open_system() as system:
        with pytest.raises(InvalidSpec) as raised:
            await system.spawn(Keeper, significant=True)
        told(raised.value, "significant=True")


async def no_child(supervisor: SupervisorRef) -> ActorRef:
    wrong: Any = Keeper
    return await supervisor.start_child(wrong)


async def no_template(supervisor: SupervisorRef) -> ActorRef:
    return await supervisor.start_child_with(1)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (no_child, ("child=", "give a ChildSpec(name, factory, *args, **options)")),
        (no_template, ("args=(1,)", "only simple_one_for_one takes them", "start_child(ChildSpec(…))")),
    ],
)
@virtual
async def test_wrong_calls_of_a_supervisor_are_refused(
    call: Callable[[SupervisorRef], Awaitable[ActorRef]], parts: tuple[str, ...]
) -> None:
    async with open_system() as system:
        supervisor = await system.spawn(Supervisor)
        with pytest.raises(InvalidSpec) as raised:
            await call(supervisor)
        told(raised.value, *parts)


BACKOFFS: list[tuple[dict[str, Any], str]] = [
    ({"initial": -1}, "Backoff.initial=-1: give seconds, 0 or more"),
    ({"multiplier": 0.5}, "Backoff.multiplier=0.5: give a finite number, 1 or more"),
    ({"initial": 2, "maximum": 1}, "Backoff.maximum=1: give at least initial=2"),
    ({"max_retries": -1}, "Backoff.max_retries=-1: give a number, 0 or more, or None for ever"),
    ({"reset_after": "a minute"}, "Backoff.reset_after='a minute': give seconds, 0 or more"),
]


@pytest.mark.parametrize(("options", "text"), BACKOFFS)
def test_a_wrong_backoff_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidSpec) as raised:
        Backoff(**options)
    told(raised.value, text)


# Factories


@pytest.mark.parametrize("value", [None, 3, Actor, "Keeper"])
@virtual
async def test_a_factory_that_returns_no_actor_is_refused(value: Any) -> None:
    def make() -> Any:
        return value

    async with open_system() as system:
        with pytest.raises(NotAnActor) as raised:
            await system.spawn(make)
        assert isinstance(raised.value, TypeError)
        assert (raised.value.factory, raised.value.value) == (make, value)
        told(raised.value, f"returned {value!r}", "return an instance of a subclass of Actor")
        assert system.tree().children == ()


@virtual
async def test_an_async_factory_is_refused() -> None:
    async def make() -> Any:
        return Keeper()

    factory: Any = make
    async with open_system() as system:
        with pytest.raises(NotAnActor) as raised:
            await system.spawn(factory)
        told(raised.value, "factory=", "because it is async", "write it with `def`")
        # and no warning of a coroutine that was never awaited


@virtual
async def test_a_factory_that_returns_one_actor_twice_is_refused() -> None:
    actor = Keeper()
    async with open_system() as system:
        await system.spawn(lambda: actor, name="first")
        with pytest.raises(InvalidSpec) as raised:
            await system.spawn(lambda: actor, name="second")
        told(raised.value, "factory=", "make a new one at each call")


# Classes


@pytest.mark.parametrize("value", ["infinity", "brutal", None, -1, float("nan"), True, property()])
def test_a_default_shutdown_that_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(InvalidSpec) as raised:

        class Broken(Actor):
            default_shutdown = value

    assert raised.value.value is value
    told(raised.value, "Broken.default_shutdown=", "give seconds, 0 or more, or math.inf")


@pytest.mark.parametrize("value", [0, 0.5, 7, float("inf")])
def test_a_default_shutdown_that_is_a_time_is_taken(value: float) -> None:
    class Fine(Actor):
        default_shutdown = value

    assert Fine.default_shutdown == value


# At the wrong place, at the wrong time


def outside_of_trio(call: Callable[[], Awaitable[object]]) -> NoSystem:
    awaitable = call()
    with pytest.raises(NoSystem) as raised:
        awaitable.__await__().send(None)
    assert isinstance(raised.value, RuntimeError)
    return raised.value


def test_ask_and_tell_outside_of_a_run_are_refused() -> None:
    refs: list[ActorRef] = []

    async def main() -> None:
        async with open_system() as system:
            refs.append(await system.spawn(Keeper))

    trio.run(main)
    told(outside_of_trio(lambda: refs[0].ask(Count())), "ask() outside of a running system", "open_system()")
    told(outside_of_trio(lambda: refs[0].tell(Put(1))), "tell() outside of a running system", "open_system()")


@virtual
async def test_use_after_the_end_of_the_system_is_refused() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        supervisor = await system.spawn(Supervisor, name="supervisor")
    with pytest.raises(SystemClosed) as closed:
        await system.spawn(Keeper)
    assert isinstance(closed.value, RuntimeError)
    told(
        closed.value,
        "spawn() on a system that is stopping",
        "open a new one with open_system()",
    )
    with pytest.raises(ActorStopped) as stopped:
        await keeper.ask(Echo(1))
    for part in ("actor /keeper", "does not take Echo(item=1)", "has stopped", "spawn it again"):
        assert part in str(stopped.value)
    with pytest.raises(ActorStopped):
        await supervisor.start_child(ChildSpec("keeper", Keeper))
    with pytest.raises(ActorStopped):
        supervisor.which_children()
