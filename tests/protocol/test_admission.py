"""Admission beside wire/aip.md 1 and 2."""

import attrs
import msgspec
import pytest
from hypothesis import assume, example, given, strategies as st

from aip_trio.errors import DecodeError
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ClientType,
    Codec,
    Format,
    Register,
    TaskStatus,
)
from aip_trio.protocol import LONGEST_ID, Accepted, Admission, Refused, id_fault
from tests.actors.model._settings import examples

DEVICE, CONSTELLATION = ClientType.DEVICE, ClientType.CONSTELLATION
ADMISSION = Admission()
CODEC = Codec(ClientMessage)

_PRINTABLE = st.characters(
    exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"), exclude_characters="/"
)
IDS = st.text(_PRINTABLE, min_size=1, max_size=LONGEST_ID)
LATER = st.sampled_from([kind for kind in ClientMessageType if kind is not ClientMessageType.REGISTER])


def register(
    client_id: str | None = "dev-1", client_type: ClientType = DEVICE, target_id: str | None = None
) -> ClientMessage:
    return ClientMessage(
        type=ClientMessageType.REGISTER,
        status=TaskStatus.OK,
        client_type=client_type,
        client_id=client_id,
        target_id=target_id,
        metadata={"os": "linux"},
    )


def refusal(message: ClientMessage | DecodeError) -> str:
    decision = ADMISSION.first_frame(message)
    assert isinstance(decision, Refused)
    return decision.reason


@examples(100)
@given(IDS, st.sampled_from(ClientType), st.none() | IDS)
@example("a" * LONGEST_ID, DEVICE, None)
def test_a_proper_register_is_accepted_as_what_it_says(
    client_id: str, client_type: ClientType, target: str | None
) -> None:
    assume(client_type is CONSTELLATION or target in (None, client_id))
    decision = ADMISSION.first_frame(register(client_id, client_type, target))
    assert decision == Accepted(Register(client_id, client_type, target, {"os": "linux"}))


@pytest.mark.parametrize(
    "kind", [kind for kind in ClientMessageType if kind is not ClientMessageType.REGISTER]
)
def test_any_other_first_frame_is_refused_by_its_type(kind: ClientMessageType) -> None:
    reason = refusal(attrs.evolve(register(), type=kind))
    assert "first frame" in reason
    assert repr(kind.value) in reason


def test_a_first_frame_that_cannot_be_read_is_refused_with_its_faults() -> None:
    reason = refusal(DecodeError("ClientMessage", ("is required @ $.status",)))
    assert "first frame" in reason
    assert "is required @ $.status" in reason


@pytest.mark.parametrize(
    ("client_id", "part"),
    [
        (None, "missing"),
        ("", "missing"),
        ("a" * (LONGEST_ID + 1), "257 characters"),
        ("a/b", "'/'"),
        ("a\nb", "printed"),
        ("\x00", "printed"),
        ("\ud800", "printed"),
    ],
)
def test_an_id_that_cannot_be_a_name_in_the_tree_is_refused(client_id: str | None, part: str) -> None:
    assert part in refusal(register(client_id))
    fault = id_fault(client_id)
    assert fault is not None
    assert fault in refusal(register(client_id))


@examples(200)
@given(st.text(max_size=300))
def test_a_good_id_is_1_to_256_printable_characters_without_a_slash(text: str) -> None:
    good = 1 <= len(text) <= 256 and text.isprintable() and "/" not in text
    assert (id_fault(text) is None) == good


@pytest.mark.parametrize("client_type", ClientType)
def test_an_empty_target_names_nobody(client_type: ClientType) -> None:
    decision = ADMISSION.first_frame(register("one", client_type, ""))
    assert decision == Accepted(Register("one", client_type, None, {"os": "linux"}))
    message = attrs.evolve(register("one", client_type, ""), type=ClientMessageType.DEVICE_INFO_REQUEST)
    assert ADMISSION.check(message, Register("one", client_type)) is None


def test_a_device_that_names_another_one_is_refused() -> None:
    assert "'dev-2'" in refusal(register(target_id="dev-2"))


def test_a_constellation_is_refused_where_its_device_is_not_connected() -> None:
    admission = ADMISSION
    one = Register("orch", CONSTELLATION, "dev-1")
    assert admission.target(one, {"dev-1"}) is None
    refused = admission.target(one, {"dev-2"})
    assert refused is not None
    assert "'dev-1' is not connected" in refused.reason
    assert admission.target(Register("orch", CONSTELLATION), ()) is None  # it names none
    assert admission.target(Register("dev-1", DEVICE, "dev-1"), ()) is None  # about to be


def test_a_namesake_is_refused_by_name() -> None:
    assert "'dev-1' is connected already" in ADMISSION.taken("dev-1").reason


# -- later frames


@st.composite
def registrations(draw: st.DrawFn) -> Register:
    client_id, client_type = draw(IDS), draw(st.sampled_from(ClientType))
    target = draw(st.none() | (IDS if client_type is CONSTELLATION else st.just(client_id)))
    return Register(client_id, client_type, target)


@st.composite
def own_frames(draw: st.DrawFn, registered: Register) -> ClientMessage:
    """What the registered client may send."""
    if registered.client_type is DEVICE:
        targets = st.sampled_from([None, registered.client_id])
    elif registered.target_id is None:
        targets = st.none() | IDS
    else:
        targets = st.sampled_from([None, registered.target_id])
    return ClientMessage(
        type=draw(LATER),
        status=draw(st.sampled_from(TaskStatus)),
        client_type=registered.client_type,
        client_id=draw(st.sampled_from([None, registered.client_id])),
        target_id=draw(targets),
    )


@examples(200)
@given(st.data())
def test_what_the_registered_client_may_say_goes_further(data: st.DataObject) -> None:
    registered = data.draw(registrations())
    message = data.draw(own_frames(registered))
    assert ADMISSION.check(message, registered) is None
    assert ADMISSION.check(message, registered, CODEC.encode(message)) is None


@examples(200)
@given(st.data(), IDS, LATER)
def test_another_identity_goes_no_further(data: st.DataObject, other: str, kind: ClientMessageType) -> None:
    registered = data.draw(registrations())
    message = data.draw(own_frames(registered))
    assume(other not in (registered.client_id, registered.target_id))
    other_type = CONSTELLATION if registered.client_type is DEVICE else DEVICE
    wrong = [
        attrs.evolve(message, client_id=other),
        attrs.evolve(message, client_id=""),
        attrs.evolve(message, type=ClientMessageType.REGISTER),
    ]
    if registered.client_type is DEVICE or kind is not ClientMessageType.HEARTBEAT:
        wrong.append(attrs.evolve(message, type=kind, client_type=other_type))
    if registered.client_type is DEVICE or registered.target_id is not None:
        wrong.append(attrs.evolve(message, target_id=other))
    for message in wrong:
        assert ADMISSION.check(message, registered) is not None
        reason = ADMISSION.check(message, registered, CODEC.encode(message))
        assert reason is not None
        assert "\n" not in reason


def test_a_frame_that_does_not_say_client_type_is_not_held_to_the_default() -> None:
    registered = Register("orch", CONSTELLATION, None)
    silent = b'{"type":"task","status":"continue","target_id":"dev-1","request":"go"}'
    null = b'{"type":"task","status":"continue","client_type":null,"request":"go"}'
    said = b'{"type":"task","status":"continue","client_type":"device","request":"go"}'
    for frame, wrong in ((silent, False), (null, False), (said, True)):
        message = CODEC.decode(frame, ClientMessage)
        assert message.client_type is DEVICE
        assert bool(ADMISSION.check(message, registered, frame)) == wrong
        assert ADMISSION.check(message, registered) is not None  # without the frame nobody can tell
        packed = msgspec.msgpack.encode(msgspec.json.decode(frame))
        assert bool(ADMISSION.check(message, registered, packed, Format.MSGPACK)) == wrong


def test_a_constellations_heartbeat_may_say_the_default_as_existing_peers_do() -> None:
    registered = Register("orch", CONSTELLATION, "dev-1")
    heartbeat = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK, client_id="orch")
    assert heartbeat.client_type is DEVICE
    assert ADMISSION.check(heartbeat, registered, CODEC.encode(heartbeat)) is None
    assert ADMISSION.check(attrs.evolve(heartbeat, client_id="dev-1"), registered) is not None


def test_a_peers_long_text_is_cut_in_the_reason() -> None:
    message = attrs.evolve(register(), type=ClientMessageType.TASK, client_id="x" * 1_000_000)
    reason = ADMISSION.check(message, Register("dev-1"))
    assert reason is not None
    assert len(reason) < 400
