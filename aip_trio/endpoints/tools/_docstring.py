"""What a function's docstring says of it and of its parameters."""

import inspect
import re
from collections.abc import Callable

import attrs

__all__ = ["Docstring"]

#: A field such as ``:param path: where it lies``; of others only that they begin.
_FIELD = re.compile(r":(?:param\s+(?:\S+\s+)?(?P<name>\w+)|\w[^:]*):(?P<text>.*)")


@attrs.frozen
class Docstring:
    """``description``: all that comes before the first field; ``parameters``: the text of each ``:param``."""

    description: str | None
    parameters: dict[str, str]

    @classmethod
    def of(cls, function: Callable[..., object]) -> "Docstring":
        """Read it in the form that Sphinx reads: a field's text goes on in indented lines."""
        description: list[str] = []
        parameters: dict[str, list[str]] = {}
        current = description
        for line in (inspect.getdoc(function) or "").splitlines():
            field = _FIELD.match(line)
            if field is not None:
                current = parameters.setdefault(field["name"], []) if field["name"] else []
                current.append(field["text"].strip())
            elif current is description or not line[:1].strip():
                current.append(line.strip())
            else:
                current = []  # a paragraph after the fields is part of none
        return cls(
            "\n".join(description).strip() or None,
            {name: " ".join(lines).strip() for name, lines in parameters.items()},
        )
