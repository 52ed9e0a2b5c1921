"""What the harness drives: a real object that shall behave like a machine."""

from collections.abc import Awaitable
from enum import Enum
from typing import Protocol, TypeVar

S_co = TypeVar("S_co", bound=Enum, covariant=True)
E_contra = TypeVar("E_contra", bound=Enum, contravariant=True)


class Subject(Protocol[S_co, E_contra]):
    """A synchronous object, or an adapter around one. (A `aip_trio.machine.Tracker` is one.)"""

    @property
    def state(self) -> S_co:
        """The state that the object is in, as seen from outside."""
        ...

    def fire(self, event: E_contra, /) -> object:
        """Perform the event on the object; its result is ignored.

        :raises IllegalTransition: (or a class given as ``refusals=``) the event is illegal now; the
            object must be left as it was
        """
        ...


class AsyncSubject(Protocol[S_co, E_contra]):
    """An object on Trio, or an adapter around one.

    Where it needs a system or a nursery, the factory given to the harness opens that around it: any
    function that returns an async context manager of the subject.
    """

    @property
    def state(self) -> S_co | Awaitable[S_co]:
        """The state that the object is in; a property may be an ``async def`` where it has to ask."""
        ...

    async def fire(self, event: E_contra, /) -> object:
        """As `Subject.fire`; returns when the event has taken its effect on ``state``."""
        ...
