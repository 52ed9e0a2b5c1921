"""What a tool takes: a struct made from its function's signature, and the JSON schema of it."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, cast

import attrs
import msgspec

from aip_trio.endpoints.tools._docstring import Docstring
from aip_trio.errors import InvalidParameters, InvalidTool

__all__ = ["Parameters", "schema_of"]

_MOST_FAULTS = 10
_LONGEST_FAULT = 200
_REFERENCE = "#/$defs/"


@attrs.frozen(eq=False)
class Parameters:
    """Turns a command's parameters into a function's keyword arguments, or names what is wrong with them.

    ``schema`` is the JSON Schema of the object that they are.
    """

    tool: str
    schema: dict[str, Any]
    _all: type[msgspec.Struct]
    #: the same with every field optional: shows a fault of one parameter by itself
    _each: type[msgspec.Struct]
    _required: tuple[str, ...]

    @classmethod
    def of(cls, function: Callable[..., object], tool: str, docstring: Docstring) -> "Parameters":
        """Read a signature. Raises InvalidTool where it cannot be called with an object of JSON."""
        parameters = _signature(function, tool)
        unknown = sorted(set(docstring.parameters) - {parameter.name for parameter in parameters})
        if unknown:
            raise InvalidTool(
                tool, f"its docstring has a :param {unknown[0]}: that it does not take: drop it"
            )
        types = {p.name: _annotation(p, docstring.parameters.get(p.name), tool) for p in parameters}
        fields: list[Any] = [(p.name, types[p.name], *_default(p)) for p in parameters]
        try:
            struct = msgspec.defstruct(tool, fields, kw_only=True, forbid_unknown_fields=True)
            schema = schema_of(struct)
            msgspec.json.Decoder(struct)  # refuses what a schema may still describe, such as some unions
            each = msgspec.defstruct(tool, [(name, annotation, None) for name, annotation in types.items()])
        except Exception as error:
            reason = " ".join(str(error).split())
            advice = "take what JSON has, such as str, float or list[int]"
            raise InvalidTool(tool, f"its parameters have no JSON schema: {advice} ({reason})") from error
        required = tuple(p.name for p in parameters if p.default is p.empty)
        return cls(tool, schema, struct, each, required)

    def convert(self, given: Mapping[str, object]) -> dict[str, object]:
        """Keyword arguments from what came over the wire; what was not given is left to the function.

        Strict: a number in a string is no number. Raises InvalidParameters, which names every faulty
        parameter (up to ten).
        """
        try:
            converted = msgspec.convert(dict(given), self._all)
        except (msgspec.ValidationError, RecursionError) as error:
            faults = list(self._faults(given)) or [_fault(error)]
            more = len(faults) - _MOST_FAULTS
            if more > 0:
                faults[_MOST_FAULTS:] = [f"and {more} more"]
            raise InvalidParameters(self.tool, tuple(faults)) from error
        return {name: getattr(converted, name) for name in given}

    def _faults(self, given: Mapping[str, object]) -> Iterator[str]:
        known = self._each.__struct_fields__
        for name, value in given.items():
            if name not in known:
                yield _cut(f"is not a parameter; there are {', '.join(known) or 'none'} @ $.{name}")
                continue
            try:
                msgspec.convert({name: value}, self._each)
            except (msgspec.ValidationError, RecursionError) as error:
                yield _fault(error)
        yield from (f"is required @ $.{name}" for name in self._required if name not in given)


def schema_of(annotation: object) -> dict[str, Any]:
    """The JSON Schema of a type, its own definition on top; TypeError where it has none."""
    (reference,), definitions = msgspec.json.schema_components([annotation])
    name = str(reference.get("$ref", "")).removeprefix(_REFERENCE)
    schema = definitions.pop(name) if name else reference
    if definitions:
        schema = {**schema, "$defs": definitions}
    # through JSON, so that nothing but JSON is in it: a default may be a tuple, or infinite
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return plain


def _signature(function: Callable[..., object], tool: str) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except Exception as error:
        raise InvalidTool(
            tool, f"its annotations cannot be resolved ({error}): use types that its module defines"
        ) from error
    return list(signature.parameters.values())


def _annotation(parameter: inspect.Parameter, description: str | None, tool: str) -> object:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise InvalidTool(tool, f"takes {parameter}: give each parameter a name and a type")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise InvalidTool(tool, f"parameter {name!r} is positional only: parameters are given by name")
    if parameter.annotation is parameter.empty:
        raise InvalidTool(tool, f"parameter {name!r} has no annotation: say what type it takes")
    if description:
        return Annotated[parameter.annotation, msgspec.Meta(description=description)]
    return cast(object, parameter.annotation)


def _default(parameter: inspect.Parameter) -> tuple[object, ...]:
    default: object = parameter.default
    if default is parameter.empty:
        return ()
    if type(default) in (list, dict, set) and default:
        # msgspec refuses it as a plain default; it is never used, because the function has its own
        return (msgspec.field(default_factory=type(default)),)
    return (default,)


def _fault(error: Exception) -> str:
    """A refusal of msgspec's as "what @ path"."""
    if isinstance(error, RecursionError):
        return "is nested too deep @ $"
    what, separator, path = str(error).rpartition(" - at `")
    return _cut(f"{what} @ {path.removesuffix('`')}" if separator else str(error))


def _cut(fault: str) -> str:
    fault = " ".join(fault.splitlines())
    return fault if len(fault) <= _LONGEST_FAULT else fault[: _LONGEST_FAULT - 1] + "…"
