"""Wide messages of the wire, narrow ones inside, and the ways between."""

from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import DecodeError
from aip_trio.messages import (
    AskDeviceInfo,
    AskForTask,
    ClientMessage,
    ClientMessageType,
    ClientType,
    CommandResults,
    DeviceInfo,
    EndTask,
    ErrorFromClient,
    ErrorFromServer,
    FromClient,
    FromServer,
    Heartbeat,
    HeartbeatAck,
    MessageValidator,
    OfferTask,
    QueryDeviceInfo,
    Register,
    ReportDeviceInfo,
    Result,
    ResultStatus,
    RunCommands,
    ServerMessage,
    ServerMessageType,
    TaskEnded,
    TaskStatus,
    narrow_client,
    narrow_server,
    widen_client,
    widen_server,
)
from tests.actors.model._settings import examples
from tests.messages.strategies import client_messages, commands, results, server_messages, texts, values

_text = st.none() | texts
_object = st.none() | st.dictionaries(texts, values, max_size=2)
_types = st.sampled_from(ClientType)
_statuses = st.sampled_from(TaskStatus)

from_client: st.SearchStrategy[FromClient] = st.one_of(
    st.builds(Register, texts.filter(bool), _types, _text, _object),
    st.builds(Heartbeat, _text, _object),
    st.builds(AskForTask, texts, _text, _text, _text, _types, _text, _object, _text),
    st.builds(EndTask, texts, _statuses, _text, _text),
    st.builds(CommandResults, st.lists(results, max_size=2), texts, _text, _statuses, _text, _text),
    st.builds(AskDeviceInfo, _text, _text, _text),
    st.builds(ReportDeviceInfo, _object, _text, _text, _text),
    st.builds(ErrorFromClient, texts, _text, _text, _text, _text),
)
from_server: st.SearchStrategy[FromServer] = st.one_of(
    st.builds(HeartbeatAck, _text),
    st.builds(OfferTask, texts, _text, _text, _text, _text, _text),
    st.builds(
        RunCommands, st.lists(commands, max_size=2), texts, _text, _statuses, _text, _text, _text, _text
    ),
    st.builds(TaskEnded, texts, _statuses, values, _text, _text, _text),
    st.builds(QueryDeviceInfo, _text),
    st.builds(DeviceInfo, _text, values, _statuses, _text),
    st.builds(ErrorFromServer, texts, _text, _text),
)


@examples(300)
@given(from_client)
def test_what_a_client_means_survives_the_wire(narrow: FromClient) -> None:
    wide = widen_client(narrow, timestamp="2024-11-04T10:30:00Z")
    assert wide.timestamp == "2024-11-04T10:30:00Z"
    assert narrow_client(ClientMessage.model_validate_json(wide.model_dump_json())) == narrow


@examples(300)
@given(from_server)
def test_what_a_server_means_survives_the_wire(narrow: FromServer) -> None:
    wide = widen_server(narrow, timestamp="2024-11-04T10:30:00Z")
    assert wide.timestamp == "2024-11-04T10:30:00Z"
    assert narrow_server(ServerMessage.model_validate_json(wide.model_dump_json())) == narrow


def lacking(wide: ClientMessage | ServerMessage) -> tuple[str, ...]:
    """What keeps a message from having a meaning, if anything does."""
    try:
        narrow_client(wide) if isinstance(wide, ClientMessage) else narrow_server(wide)
    except DecodeError as error:
        return error.faults
    return ()


@examples(300)
@given(client_messages | server_messages)
def test_a_message_without_faults_has_a_meaning(wide: ClientMessage | ServerMessage) -> None:
    assert set(lacking(wide)) <= set(MessageValidator.faults(wide))


@pytest.mark.parametrize(
    ("type", "faults"),
    [
        ("register", ("is required @ $.client_id",)),
        ("task", ("is required @ $.request",)),
        ("task_end", ("is required @ $.session_id",)),
        ("command_results", ("is required @ $.action_results", "is required @ $.session_id")),
    ],
)
def test_what_a_clients_message_lacks_is_named(type: str, faults: tuple[str, ...]) -> None:
    with pytest.raises(DecodeError) as raised:
        narrow_client(ClientMessage(type=ClientMessageType(type), status=TaskStatus.OK))
    assert raised.value.faults == faults


@pytest.mark.parametrize(
    ("type", "faults"),
    [
        ("task", ("is required @ $.user_request",)),
        ("task_end", ("is required @ $.session_id",)),
        ("command", ("is required @ $.actions", "is required @ $.session_id")),
    ],
)
def test_what_a_servers_message_lacks_is_named(type: str, faults: tuple[str, ...]) -> None:
    with pytest.raises(DecodeError) as raised:
        narrow_server(ServerMessage(type=ServerMessageType(type), status=TaskStatus.OK))
    assert raised.value.faults == faults


def test_a_registration_without_a_name_is_none() -> None:
    wide = ClientMessage(type=ClientMessageType.REGISTER, status=TaskStatus.OK, client_id="")
    with pytest.raises(DecodeError, match=r"no valid register message: is required @ \$\.client_id"):
        narrow_client(wide)


@pytest.mark.parametrize("type", ClientMessageType)
def test_every_type_of_a_client_has_a_class(type: ClientMessageType) -> None:
    wide = ClientMessage(
        type=type, status=TaskStatus.OK, client_id="a", session_id="s", request="r", action_results=[]
    )
    assert widen_client(narrow_client(wide)).type is type


@pytest.mark.parametrize("type", ServerMessageType)
def test_every_type_of_a_server_has_a_class(type: ServerMessageType) -> None:
    wide = ServerMessage(type=type, status=TaskStatus.OK, session_id="s", user_request="r", actions=[])
    assert widen_server(narrow_server(wide)).type is type


@pytest.mark.parametrize(
    "narrow",
    [Heartbeat(), EndTask("s", TaskStatus.OK), CommandResults([], "s", "r"), AskDeviceInfo("d", "q")],
    ids=lambda narrow: type(narrow).__name__,
)
def test_the_sender_is_named_where_the_meaning_leaves_it_open(narrow: Any) -> None:
    wide = widen_client(narrow, client_id="me", client_type=ClientType.CONSTELLATION)
    assert (wide.client_id, wide.client_type) == ("me", ClientType.CONSTELLATION)
    own = widen_client(attrs.evolve(narrow, client_id="own"), client_id="me")
    assert (own.client_id, own.client_type) == ("own", ClientType.DEVICE)


def test_a_task_says_itself_what_its_client_is() -> None:
    task = AskForTask("do", None, None, "me", ClientType.CONSTELLATION)
    assert widen_client(task, client_type=ClientType.DEVICE).client_type is ClientType.CONSTELLATION


def test_an_error_without_a_text_still_is_one() -> None:
    client = ClientMessage(type=ClientMessageType.ERROR, status=TaskStatus.ERROR)
    server = ServerMessage(type=ServerMessageType.ERROR, status=TaskStatus.ERROR)
    assert narrow_client(client) == ErrorFromClient("no reason given")
    assert narrow_server(server) == ErrorFromServer("no reason given")


def test_lists_become_tuples_inside_and_lists_again_outside() -> None:
    result = Result(status=ResultStatus.SUCCESS)
    narrow = CommandResults([result], "s", "r")
    assert narrow.action_results == (result,)
    assert widen_client(narrow).action_results == [result]
