"""What every class of the wire has in common."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Self

import attrs

from aip_trio.messages._codec import Codec

__all__ = ["WireModel"]


class WireModel:
    """A frozen attrs class as it goes over the wire: a JSON object of its fields, null where unset.

    The names of the methods are those that programs written against AIP call. The order of an object's
    members means nothing in JSON; ours is the alphabet's (CPython sorts slots), in `model_dump` the
    fields'.
    """

    __slots__ = ()

    def model_dump(self) -> dict[str, Any]:
        """The fields as a dict, wire classes within them as dicts, too; enumerations stay members."""
        return attrs.asdict(self)  # type: ignore[arg-type]

    def model_dump_json(self) -> str:
        """As JSON text. Raises `EncodeError` where a value has no form on the wire."""
        return _codec(type(self)).encode(self).decode()

    @classmethod
    def model_validate(cls, value: Mapping[str, Any]) -> Self:
        """Make one of plain values, as `model_dump` gives them. Raises `DecodeError`."""
        return _codec(cls).convert(value, cls)

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Read JSON. Raises `DecodeError`."""
        data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        return _codec(cls).decode(data, cls)


def _codec(cls: type[object]) -> Codec:
    return _made(cls)  # type: ignore[arg-type]  # mypy looks for the __hash__ of its instances


@cache
def _made(cls: type[object]) -> Codec:
    return Codec(cls)
