from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs
import pytest

from aip_trio.actors import Actor, Reply, Request, Supervisor, handles, open_system
from aip_trio.errors import InvalidHandler
from tests.actors.support import Count, Echo, Keeper, Put, virtual

R = TypeVar("R")


@attrs.frozen
class Ping:
    """A message."""


@attrs.frozen
class Size(Request[int]):
    """A request."""


class Plain:
    """No attrs class."""


@attrs.define
class Mutable:
    """An attrs class that can change on its way."""


def refusal(define: Callable[[], None]) -> InvalidHandler:
    """What defining a class raises."""
    with pytest.raises(InvalidHandler) as raised:
        define()
    assert isinstance(raised.value, TypeError)
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_parameter_without_annotation_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles
            async def ping(self, message):  # type: ignore[no-untyped-def]  # pyright: ignore
                pass

    error = refusal(define)
    assert error.handler.endswith("Broken.ping")
    assert error.reason == "parameter 'message' has no annotation: annotate it, or use @handles(MessageClass)"


def test_an_annotation_that_cannot_be_resolved_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles
            async def ping(self, message: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore
                pass

    error = refusal(define)
    assert "cannot resolve the annotation 'Nowhere'" in error.reason
    assert isinstance(error.__cause__, NameError)


def test_two_handlers_for_one_class_are_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles
            async def one(self, message: Ping) -> None: ...

            @handles
            async def other(self, message: Ping) -> None: ...

    error = refusal(define)
    assert "other" in error.handler
    assert error.reason == "Ping is handled by one() already: keep one, or override that method"


def test_a_second_handler_for_an_inherited_class_is_refused() -> None:
    class Base(Actor):
        @handles
        async def ping(self, message: Ping) -> None: ...

    def define() -> None:
        class Broken(Base):
            @handles
            async def another(self, message: Ping) -> None: ...

    assert "Ping is handled by" in refusal(define).reason


def test_a_class_twice_in_one_handler_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles(Ping, Ping)
            async def ping(self, message: Ping) -> None: ...

    assert "Ping is handled by ping() already" in refusal(define).reason


@pytest.mark.parametrize("wrong", [Plain, Mutable, int, str, object])
def test_a_class_that_is_no_message_is_refused(wrong: type) -> None:
    def define() -> None:
        class Broken(Actor):
            @handles(wrong)
            async def ping(self, message: object) -> None: ...

    assert refusal(define).reason == (
        f"{wrong!r} is no message class: declare it with @attrs.frozen, or name another one"
    )


def test_an_annotation_that_is_no_class_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles
            async def ping(self, message: None) -> None: ...

    assert "no" in refusal(define).reason

    def define_with_text() -> None:
        class Broken(Actor):
            @handles
            async def ping(self, message: "1 + 1") -> None: ...  # type: ignore[valid-type]  # pyright: ignore

    assert "2 is no message class" in refusal(define_with_text).reason


def test_a_member_of_a_union_that_is_no_message_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles
            async def ping(self, message: Ping | Plain) -> None: ...

    assert "Plain" in refusal(define).reason


def test_a_return_annotation_that_contradicts_the_request_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles
            async def size(self, message: Size) -> str:
                return ""

    assert refusal(define).reason == "returns str, but Size is a Request[int]: make them agree"


def test_no_answer_where_one_is_promised_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles
            async def size(self, message: Size) -> None: ...

    assert "returns NoneType, but Size is a Request[int]" in refusal(define).reason


def test_a_return_annotation_that_agrees_is_taken() -> None:
    class Fine(Actor):
        @handles
        async def size(self, message: Size) -> bool:  # a bool is an int
            return True

    class Wider(Actor):
        @handles
        async def size(self, message: Size) -> object:
            return 1

    class Optional(Actor):
        @handles
        async def size(self, message: Size) -> int | None:
            return 1

    assert all(Size in cls._handlers for cls in (Fine, Wider, Optional))


def test_what_a_deferred_handler_returns_is_not_its_answer() -> None:
    class Fine(Actor):
        @handles
        async def size(self, message: Size, reply: Reply[int]) -> None: ...

    assert Fine._handlers[Size].deferred


def test_a_handler_that_is_not_async_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles  # type: ignore[type-var]  # pyright: ignore
            def ping(self, message: Ping) -> None: ...

    assert refusal(define).reason == "is not async: write it with `async def`"


def test_an_override_that_is_not_async_is_refused() -> None:
    class Base(Actor):
        @handles
        async def ping(self, message: Ping) -> None: ...

    def define() -> None:
        class Broken(Base):
            ping = None  # type: ignore[assignment]  # pyright: ignore

    assert "is not async" in refusal(define).reason


def test_handlers_with_the_wrong_parameters_are_refused() -> None:
    def no_message() -> None:
        class Broken(Actor):
            @handles(Ping)
            async def ping(self) -> None: ...

    def too_many() -> None:
        class Broken(Actor):
            @handles(Ping)
            async def ping(self, message: Ping, reply: Reply[None], more: int) -> None: ...

    def keyword_only() -> None:
        class Broken(Actor):
            @handles(Ping)
            async def ping(self, *, message: Ping) -> None: ...

    def any_number() -> None:
        class Broken(Actor):
            @handles(Ping)
            async def ping(self, *messages: Ping) -> None: ...

    for define in (no_message, too_many, keyword_only, any_number):
        reason = refusal(define).reason
        assert reason == "takes the wrong parameters: write (self, message) or (self, message, reply)"


def test_a_default_for_the_reply_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles
            async def size(self, message: Size, limit: int = 3) -> None: ...

    reason = refusal(define).reason
    assert reason == "'limit' receives the Reply: leave out its default, or the parameter"


def test_a_method_that_is_marked_twice_is_refused() -> None:
    def define() -> None:
        class Broken(Actor):
            @handles(Ping)
            @handles(Size)
            async def any(self, message: object) -> None: ...

    error = refusal(define)
    assert error.handler.endswith("Broken.any")
    assert error.reason == "is marked twice: name all its message classes in one @handles(…)"


NO_METHOD = "is no ordinary method: write it with `async def` and self, and @handles alone"


@pytest.mark.parametrize("kind", [staticmethod, classmethod, property])
@pytest.mark.parametrize("mark_first", [True, False])
def test_what_is_no_ordinary_method_is_refused(kind: Any, mark_first: bool) -> None:
    async def ping(self: object, message: Ping) -> None: ...

    def define() -> None:
        class Broken(Actor):
            pong = kind(handles(ping)) if mark_first else handles(kind(ping))

    assert refusal(define).reason == NO_METHOD


@pytest.mark.parametrize("kind", [staticmethod, classmethod, property])
def test_an_override_that_is_no_ordinary_method_is_refused(kind: Any) -> None:
    async def ping(self: object, message: Ping) -> None: ...

    class Base(Actor):
        pong = handles(ping)

    def define() -> None:
        class Broken(Base):
            pong = kind(ping)

    assert refusal(define).reason == NO_METHOD


@pytest.mark.parametrize("name", ["stop", "started", "ref", "spawn", "system", "_cell", "__init__"])
def test_a_handler_with_a_name_that_every_actor_has_is_refused(name: str) -> None:
    async def handler(self: object, message: Ping) -> None: ...

    def define() -> None:
        type("Broken", (Actor,), {name: handles(handler)})

    error = refusal(define)
    assert error.handler == f"Broken.{name}"
    assert error.reason == f"every actor's {name!r} is something else: give it another name"


def test_a_handler_with_a_name_that_every_supervisor_has_is_refused() -> None:
    async def handler(self: object, message: Ping) -> None: ...

    def define() -> None:
        type("Broken", (Supervisor,), {"children": handles(handler)})

    assert "'children'" in refusal(define).reason

    class Fine(Actor):
        @handles
        async def children(self, message: Ping) -> None: ...

    assert Ping in Fine._handlers


class Base(Actor):
    @handles
    async def size(self, message: Size) -> int:
        return 1


class Overriding(Base):
    async def size(self, message: Size) -> int:  # inherits the mark
        return 10 + await super().size(message)


class Inheriting(Overriding):
    """Has its handlers from its bases."""


class Mixin:
    @handles
    async def echo(self, message: Echo) -> object:
        return message.item


class Mixed(Mixin, Base):
    """Has a handler from a class that is no actor."""


@virtual
async def test_handlers_are_inherited_and_overridden() -> None:
    async with open_system() as system:
        assert await (await system.spawn(Base)).ask(Size()) == 1
        assert await (await system.spawn(Overriding)).ask(Size()) == 11
        assert await (await system.spawn(Inheriting)).ask(Size()) == 11


@virtual
async def test_a_mixin_brings_its_handlers() -> None:
    async with open_system() as system:
        mixed = await system.spawn(Mixed)
        assert await mixed.ask(Echo("mixed")) == "mixed"
        assert await mixed.ask(Size()) == 1


def test_a_subclass_leaves_the_table_of_its_base_alone() -> None:
    class More(Base):
        @handles
        async def ping(self, message: Ping) -> None: ...

    assert Ping in More._handlers
    assert Ping not in Base._handlers


def test_an_override_with_a_mark_of_its_own_handles_that_instead() -> None:
    class Other(Base):
        @handles(Ping)
        async def size(self, message: object) -> int:
            return 2

    assert set(Other._handlers) == {Ping}


@attrs.frozen
class Animal(Request[str]):
    """The base of some messages."""


@attrs.frozen
class Dog(Animal):
    """More derived."""


@attrs.frozen
class Puppy(Dog):
    """Most derived."""


@attrs.frozen
class Cat(Animal):
    """Has no handler of its own."""


class Zoo(Actor):
    @handles
    async def animal(self, message: Animal) -> str:
        return "animal"

    @handles
    async def dog(self, message: Dog) -> str:
        return "dog"


@virtual
async def test_the_handler_of_the_most_derived_class_is_called() -> None:
    async with open_system() as system:
        zoo = await system.spawn(Zoo)
        for _ in range(2):  # the second time from the table
            assert await zoo.ask(Puppy()) == "dog"
            assert await zoo.ask(Dog()) == "dog"
            assert await zoo.ask(Cat()) == "animal"
            assert await zoo.ask(Animal()) == "animal"


@virtual
async def test_what_one_actor_has_looked_up_does_not_change_another_class() -> None:
    class Kennel(Zoo):
        @handles
        async def puppy(self, message: Puppy) -> str:
            return "puppy"

    async with open_system() as system:
        zoo, kennel = await system.spawn(Zoo), await system.spawn(Kennel)
        assert await zoo.ask(Puppy()) == "dog"
        assert await kennel.ask(Puppy()) == "puppy"
        assert await zoo.ask(Puppy()) == "dog"

    class Later(Zoo):
        """Defined after Zoo has handled a Puppy by its handler of dogs."""

        @handles
        async def puppy(self, message: Puppy) -> str:
            return "puppy"

    async with open_system() as system:
        assert await (await system.spawn(Later)).ask(Puppy()) == "puppy"


@virtual
async def test_a_union_is_each_of_its_members() -> None:
    class Both(Actor):
        @handles
        async def any(self, message: Dog | Cat) -> str:
            return type(message).__name__

    async with open_system() as system:
        both = await system.spawn(Both)
        assert await both.ask(Dog()) == "Dog"
        assert await both.ask(Cat()) == "Cat"


@virtual
async def test_handles_takes_several_classes() -> None:
    class Both(Actor):
        @handles(Dog, Cat)
        async def any(self, message: Animal) -> str:
            return type(message).__name__

    async with open_system() as system:
        both = await system.spawn(Both)
        assert await both.ask(Dog()) == "Dog"
        assert await both.ask(Cat()) == "Cat"


@virtual
async def test_a_generic_message_is_handled_by_its_class() -> None:
    @attrs.frozen
    class Box(Request[R], Generic[R]):
        content: R

    class Shelf(Actor):
        @handles
        async def box(self, message: Box[int]) -> int:
            return message.content

    async with open_system() as system:
        assert await (await system.spawn(Shelf)).ask(Box(3)) == 3


def test_an_enclosing_function_may_define_the_messages() -> None:
    @attrs.frozen
    class Local:
        pass

    class Actor1(Actor):
        @handles
        async def local(self, message: "Local") -> None: ...

    assert Local in Actor1._handlers


def test_a_message_class_may_be_defined_in_the_actors_own_body() -> None:
    class Actor1(Actor):
        @attrs.frozen
        class Inner:
            pass

        @handles
        async def inner(self, message: "Inner") -> None: ...

    assert Actor1.Inner in Actor1._handlers


def test_only_the_message_parameters_annotation_is_resolved() -> None:
    class Fine(Actor):
        @handles
        async def ping(self, message: Ping, reply: "Undefined") -> "Neither": ...  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore

    assert Fine._handlers[Ping].deferred


@virtual
async def test_a_handler_is_an_ordinary_method_too() -> None:
    log: list[object] = []

    class Calls(Keeper):
        @handles
        async def count(self, message: Count) -> int:
            await self.put(Put("called"))
            return len(self.log)

    async with open_system() as system:
        calls = await system.spawn(Calls, log)
        assert await calls.ask(Count()) == 1
        assert log == ["called"]
