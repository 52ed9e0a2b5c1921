"""A tool's parameters, from their JSON schema, for people."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["signature"]


def signature(schema: Mapping[str, Any]) -> Iterator[str]:
    """Each parameter as ``name: type``, with its default where it has one."""
    for name, field in schema.get("properties", {}).items():
        default = f" = {json.dumps(field['default'], ensure_ascii=False)}" if "default" in field else ""
        yield f"{name}: {_type(field)}{default}"


def _type(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " | ".join(map(_type, field["anyOf"]))
    if "enum" in field:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in field["enum"])
    kind = str(field.get("type", "any"))
    if kind == "array":
        return f"array of {_type(field['items'])}" if "items" in field else kind
    return f"{kind}{_bounds(field)}"


def _bounds(field: Mapping[str, Any]) -> str:
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return "".join(f" {sign} {field[word]}" for word, sign in words.items() if word in field)
