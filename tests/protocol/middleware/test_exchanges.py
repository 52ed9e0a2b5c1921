"""Which message answers which."""

from typing import Any

import pytest

from aip_trio.messages import (
    ClientMessage,
    ClientMessageType as FromClient,
    ServerMessage,
    ServerMessageType as FromServer,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol import Exchanges


def client(kind: FromClient, **fields: Any) -> ClientMessage:
    return ClientMessage(type=kind, status=TaskStatus.OK, **fields)


def server(kind: FromServer, **fields: Any) -> ServerMessage:
    return ServerMessage(type=kind, status=TaskStatus.OK, **fields)


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        (
            server(FromServer.COMMAND, response_id="r", session_id="s"),
            client(FromClient.COMMAND_RESULTS, prev_response_id="r", session_id="s"),
            "command",
        ),
        (
            client(FromClient.TASK, session_id="s", request_id="q"),
            server(FromServer.TASK_END, session_id="s", response_id="its own"),
            "task",
        ),
        (
            client(FromClient.TASK, request_id="q"),
            server(FromServer.TASK_END, session_id="made by the server", response_id="q"),
            "task",
        ),
        (
            client(FromClient.DEVICE_INFO_REQUEST, request_id="q"),
            server(FromServer.DEVICE_INFO_RESPONSE, response_id="q"),
            "device_info_request",
        ),
        (
            server(FromServer.DEVICE_INFO_REQUEST, response_id="r"),
            client(FromClient.DEVICE_INFO_RESPONSE, request_id="r"),
            "device_info_request",
        ),
    ],
)
def test_an_answer_is_known_once_by_what_it_names(question: WireModel, answer: WireModel, kind: str) -> None:
    exchanges = Exchanges()
    assert exchanges.pass_on(answer, 0.0) is None
    assert exchanges.pass_on(question, 1.0) is None
    assert exchanges.pass_on(answer, 3.5) == (kind, 2.5)
    assert exchanges.pass_on(answer, 4.0) is None
    assert len(exchanges) == 0


def test_what_has_no_id_or_no_answer_is_not_waited_for() -> None:
    exchanges = Exchanges()
    for message in (
        server(FromServer.COMMAND),
        client(FromClient.TASK),
        client(FromClient.HEARTBEAT, request_id="q"),
        server(FromServer.HEARTBEAT, response_id="r"),
        server(FromServer.TASK_END),
        client(FromClient.COMMAND_RESULTS),
    ):
        assert exchanges.pass_on(message, 1.0) is None
    assert len(exchanges) == 0


def test_what_is_not_answered_is_forgotten_in_its_turn() -> None:
    exchanges = Exchanges(limit=3)
    for number in range(5):
        exchanges.pass_on(server(FromServer.COMMAND, response_id=str(number)), float(number))
    assert (len(exchanges), exchanges.forgotten) == (3, 2)
    assert exchanges.pass_on(client(FromClient.COMMAND_RESULTS, prev_response_id="1"), 9.0) is None
    assert exchanges.pass_on(client(FromClient.COMMAND_RESULTS, prev_response_id="2"), 9.0) == (
        "command",
        7.0,
    )
    exchanges.pass_on(server(FromServer.COMMAND, response_id="4"), 9.0)  # asked once more
    assert (len(exchanges), exchanges.forgotten) == (2, 3)
