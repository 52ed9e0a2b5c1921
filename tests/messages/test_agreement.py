"""msgspec, which decides, and cattrs, which explains, read the same: on 10,000 examples in all."""

from typing import Any

import msgspec
from hypothesis import given, strategies as st

from aip_trio.errors import DecodeError
from aip_trio.messages import Codec, Format, WireModel
from aip_trio.messages._faults import faults, structured
from tests.actors.model._settings import examples
from tests.messages.damage import damaged, mutated
from tests.messages.frames import VALID
from tests.messages.strategies import CLASSES, messages

CODECS = {format: Codec(*CLASSES, format=format) for format in Format}
WRITE = {Format.JSON: msgspec.json.encode, Format.MSGPACK: msgspec.msgpack.encode}

#: The captured frames, in either format.
FRAMES = [
    (CODECS[format], frame.model, CODECS[format].encode(frame.model.model_validate_json(frame.json)))
    for frame in VALID
    for format in Format
]


def read(codec: Codec, data: bytes, cls: type[WireModel]) -> tuple[WireModel | None, tuple[str, ...]]:
    """The message, or what is wrong with it; and nothing else is raised."""
    try:
        return codec.decode(data, cls), ()
    except DecodeError as error:
        return None, error.faults


def agree(codec: Codec, data: bytes, cls: type[WireModel]) -> WireModel | None:
    """Read bytes by both, and compare. The message, if both find that they are one."""
    message, refused = read(codec, data, cls)
    plain = codec.plain(data)
    assert faults(plain, cls) == refused
    if message is not None:
        assert same(structured(plain, cls), message)
    return message


def same(one: WireModel, other: WireModel) -> bool:
    """Whether they are equal, NaN included."""
    return one == other or WRITE[Format.MSGPACK](one) == WRITE[Format.MSGPACK](other)


@examples(3000)
@given(messages)
def test_they_agree_on_any_message(message: WireModel) -> None:
    for codec in CODECS.values():
        assert agree(codec, codec.encode(message), type(message)) == message


@examples(3000)
@given(damaged())
def test_they_agree_on_what_is_wrong(wrong: tuple[type[WireModel], Any]) -> None:
    cls, plain = wrong
    for format, codec in CODECS.items():
        agree(codec, WRITE[format](plain), cls)


@examples(4000)
@given(st.data())
def test_they_agree_on_mutated_bytes(data: st.DataObject) -> None:
    codec, cls, frame = data.draw(st.sampled_from(FRAMES))
    mutant = data.draw(mutated(frame))
    try:
        codec.plain(mutant)
    except DecodeError:
        # msgspec may have skipped what is wrong, where no field is.
        message, refused = read(codec, mutant, cls)
        assert message is not None or refused
    else:
        agree(codec, mutant, cls)
