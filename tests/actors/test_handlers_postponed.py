"""Handlers in a module whose annotations are not evaluated."""

from __future__ import annotations

import gc
import weakref

import attrs
import pytest

from aip_trio.actors import Actor, Reply, Request, handles, open_system
from aip_trio.errors import InvalidHandler
from tests.actors.support import virtual


@attrs.frozen
class Global(Request[int]):
    """A message of the module's."""


@virtual
async def test_annotations_are_resolved_in_the_module() -> None:
    class Answering(Actor):
        @handles
        async def answer(self, message: Global) -> int:
            return 1

    async with open_system() as system:
        assert await (await system.spawn(Answering)).ask(Global()) == 1


@virtual
async def test_annotations_are_resolved_among_the_locals_of_the_enclosing_function() -> None:
    @attrs.frozen
    class One(Request[int]):
        pass

    @attrs.frozen
    class Two(Request[int]):
        pass

    class Answering(Actor):
        @handles
        async def one(self, message: One | Two) -> int:
            return 1

        @handles
        async def later(self, message: Global, reply: Reply[int]) -> None:
            reply.send(2)

    async with open_system() as system:
        answering = await system.spawn(Answering)
        assert await answering.ask(One()) == 1
        assert await answering.ask(Two()) == 1
        assert await answering.ask(Global()) == 2


def test_a_local_class_hides_one_of_the_module() -> None:
    def local() -> type:
        @attrs.frozen
        class Global:
            pass

        class Answering(Actor):
            @handles
            async def answer(self, message: Global) -> None: ...

        assert set(Answering._handlers) == {Global}
        return Global

    assert local() is not Global


def test_locals_of_the_enclosing_function_are_not_kept_alive() -> None:
    class Heavy:
        pass

    def define() -> tuple[type, weakref.ref[Heavy]]:
        heavy = Heavy()

        class Answering(Actor):
            @handles
            async def answer(self, message: Global) -> int:
                return 1

        return Answering, weakref.ref(heavy)

    answering, reference = define()
    gc.collect()
    assert reference() is None
    assert issubclass(answering, Actor)


def test_a_name_that_is_nowhere_is_refused() -> None:
    with pytest.raises(InvalidHandler, match="cannot resolve the annotation 'Nowhere'") as raised:

        class Broken(Actor):
            @handles
            async def answer(self, message: Nowhere) -> int:  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore
                return 1

    assert isinstance(raised.value.__cause__, NameError)


def test_a_missing_annotation_is_refused() -> None:
    with pytest.raises(InvalidHandler, match="has no annotation"):

        class Broken(Actor):
            @handles
            async def answer(self, message) -> int:  # type: ignore[no-untyped-def]  # pyright: ignore
                return 1
