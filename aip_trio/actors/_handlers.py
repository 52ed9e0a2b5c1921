"""Which method of an actor takes which message."""

import inspect
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Iterator, Mapping, Set
from typing import Any, TypeVar, overload

import attrs

from aip_trio.actors._message import Request, is_message_class
from aip_trio.errors import InvalidHandler

__all__ = ["Handler", "HandlerTable", "handles", "make_handler_table"]

Method = Callable[..., Awaitable[object]]
M = TypeVar("M", bound=Method)

_MARK = "__aip_trio_handles__"
_NO_METHODS = (staticmethod, classmethod, property)
_NO_METHOD = "is no ordinary method: write it with `async def` and self, and @handles alone"


@attrs.frozen
class Handler:
    """A method that takes one class of message; ``deferred``: it takes a Reply and answers later."""

    name: str
    function: Method
    deferred: bool


@attrs.define
class _Mark:
    """What ``@handles`` leaves on a method, until its class is complete."""

    classes: tuple[type, ...]
    scope: Mapping[str, object]


class HandlerTable(dict[type, Handler]):
    """Message class to handler, made once for each actor class.

    A subclass of a handled class is looked up by its method resolution order the first time, and
    then stands in the table itself.
    """

    def find(self, message_class: type) -> Handler | None:
        """The handler of the most derived class that this one is, or None."""
        for cls in message_class.__mro__:
            handler = self.get(cls)
            if handler is not None:
                self[message_class] = handler
                return handler
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the handled classes."""
        return tuple(cls.__qualname__ for cls in self)


@overload
def handles(target: type, /, *more: type) -> Callable[[M], M]: ...
@overload
def handles(target: M, /) -> M: ...
def handles(target: Any, /, *more: type) -> Any:
    """Mark an async method as the handler of the message class that its parameter is annotated with.

    ``@handles(Deposit)`` names the class (or several) instead. A second parameter receives the
    `Reply`, for handlers that answer later. Only the message parameter's annotation is evaluated, in
    the scope that encloses the class; a return annotation that is no string is compared with the R of
    ``Request[R]``. A union stands for each of its members. What does not fit raises `InvalidHandler`, a
    TypeError, when the class is defined.
    """
    if isinstance(target, type):

        def mark(method: M) -> M:
            return _leave_mark(method, _Mark((target, *more), {}))

        return mark
    # The class body's caller is the enclosing scope; message classes defined there, inside of a
    # function, are among its locals and nowhere else.
    body = sys._getframe(1)
    scope = {**(body.f_back.f_locals if body.f_back is not None else {}), **body.f_locals}
    return _leave_mark(target, _Mark((), scope))


def _leave_mark(method: M, mark: _Mark) -> M:
    where = getattr(method, "__qualname__", repr(method))
    if isinstance(method, _NO_METHODS):
        raise InvalidHandler(where, _NO_METHOD)
    if not callable(method):
        raise InvalidHandler(where, "is neither a message class nor a method: use @handles(MessageClass)")
    if hasattr(method, _MARK):
        raise InvalidHandler(where, "is marked twice: name all its message classes in one @handles(…)")
    setattr(method, _MARK, mark)
    return method


def make_handler_table(cls: type, reserved: Set[str] = frozenset()) -> HandlerTable:
    """Collect the handlers of an actor class and of its bases; called when the class is defined.

    ``reserved`` are the names that no handler may have.
    """
    owners: dict[type, str] = {}
    table = HandlerTable()
    for name, mark in _marked(cls):
        where = f"{cls.__qualname__}.{name}"
        if name in reserved:
            raise InvalidHandler(where, f"every actor's {name!r} is something else: give it another name")
        if isinstance(inspect.getattr_static(cls, name), _NO_METHODS):
            raise InvalidHandler(where, _NO_METHOD)
        function = getattr(cls, name)
        deferred = _check_signature(function, where)
        for message_class in _message_classes(function, mark, where):
            if message_class in owners:
                raise InvalidHandler(
                    where,
                    f"{message_class.__qualname__} is handled by {owners[message_class]}() already:"
                    " keep one, or override that method",
                )
            owners[message_class] = name
            _check_return(function, message_class, deferred, where)
            table[message_class] = Handler(name, function, deferred)
    return table


def _marked(cls: type) -> Iterator[tuple[str, _Mark]]:
    """Every marked name with its nearest mark: an override without one inherits it."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for name, value in vars(base).items():
            mark = getattr(_inside(value), _MARK, None)
            if isinstance(mark, _Mark) and name not in seen:
                seen.add(name)
                yield name, mark


def _inside(value: object) -> object:
    """The function that a staticmethod, classmethod or property is made of."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, (staticmethod, classmethod)):
        return typing.cast("staticmethod[..., object]", value).__func__
    return value


def _check_signature(function: Method, where: str) -> bool:
    """Whether the handler takes a Reply; refuses what is no async method of one or two parameters."""
    if not inspect.iscoroutinefunction(function):
        raise InvalidHandler(where, "is not async: write it with `async def`")
    parameters = list(inspect.signature(function).parameters.values())
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    if len(parameters) not in (2, 3) or any(p.kind not in positional for p in parameters):
        raise InvalidHandler(
            where, "takes the wrong parameters: write (self, message) or (self, message, reply)"
        )
    if len(parameters) == 3 and parameters[2].default is not inspect.Parameter.empty:
        raise InvalidHandler(
            where, f"{parameters[2].name!r} receives the Reply: leave out its default, or the parameter"
        )
    return len(parameters) == 3


def _message_classes(function: Method, mark: _Mark, where: str) -> tuple[type, ...]:
    """The classes of message that a handler is for: given, or annotated; a union is each of its members."""
    classes = mark.classes or _flatten(_annotation(function, mark.scope, where))
    if getattr(function, _MARK, None) is mark:  # else it overrides the marked one, and is no other's
        mark.classes = classes
        mark.scope = {}  # an enclosing function's locals must not live as long as the class
    for cls in classes:
        if not is_message_class(cls):
            raise InvalidHandler(
                where, f"{cls!r} is no message class: declare it with @attrs.frozen, or name another one"
            )
    return classes


def _annotation(function: Method, scope: Mapping[str, object], where: str) -> object:
    parameter = list(inspect.signature(function).parameters)[1]
    annotation: object = function.__annotations__.get(parameter)
    if annotation is None:
        raise InvalidHandler(
            where, f"parameter {parameter!r} has no annotation: annotate it, or use @handles(MessageClass)"
        )
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, _globals(function), dict(scope))  # the annotation, as Python itself would
    except Exception as error:
        raise InvalidHandler(
            where, f"cannot resolve the annotation {annotation!r} ({error}): use @handles(MessageClass)"
        ) from error


def _globals(function: Method) -> dict[str, object]:
    names: dict[str, object] = getattr(function, "__globals__", {})
    return names


def _flatten(annotation: object) -> tuple[type, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(cls for member in typing.get_args(annotation) for cls in _flatten(member))
    # what is no class is refused by name afterwards
    return (typing.cast(type, typing.get_origin(annotation) or annotation),)


def _check_return(function: Method, message_class: type, deferred: bool, where: str) -> None:
    """Refuse a return annotation that contradicts ``Request[R]``, where both are known."""
    annotations = function.__annotations__
    if "return" not in annotations:
        return
    returned = annotations["return"]
    answer = _answer_type(message_class)
    if deferred or answer is None or isinstance(returned, (str, TypeVar)):
        return
    returned = type(None) if returned is None else returned
    if _contradict(returned, answer):
        raise InvalidHandler(
            where,
            f"returns {_title(returned)}, but {message_class.__qualname__} is a Request[{_title(answer)}]:"
            " make them agree",
        )


def _answer_type(message_class: type) -> object | None:
    """The R of the ``Request[R]`` that a message class derives from, if it is spelled out."""
    for cls in message_class.__mro__:
        for base in getattr(cls, "__orig_bases__", ()):
            if typing.get_origin(base) is Request:
                (answer,) = typing.get_args(base)
                answer = type(None) if answer is None else answer
                return None if isinstance(answer, (str, typing.ForwardRef, TypeVar)) else answer
    return None


def _contradict(returned: object, answer: object) -> bool:
    """Whether no value can be both; only what is certain counts, the rest is the type checker's."""
    mine, theirs = _members(returned), _members(answer)
    if mine is None or theirs is None:
        return False
    numbers = {int: (int, float, complex), float: (float, complex)}
    return not any(
        issubclass(a, numbers.get(b, b)) or issubclass(b, numbers.get(a, a)) for a in mine for b in theirs
    )


def _members(annotation: object) -> tuple[type, ...] | None:
    """The classes of an annotation, or None where it is not made of plain classes alone."""
    classes = _flatten(annotation)
    return classes if all(map(_plain, classes)) else None


def _plain(cls: object) -> bool:
    """Whether issubclass() tells the truth about it."""
    unsure = cls in (Any, object, typing.Annotated) or typing.is_typeddict(cls)
    return isinstance(cls, type) and not unsure and not getattr(cls, "_is_protocol", False)


def _title(annotation: object) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
