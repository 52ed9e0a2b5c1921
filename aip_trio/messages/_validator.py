"""Whether a message says all that its type needs."""

from aip_trio.errors import DecodeError, EncodeError
from aip_trio.messages._enums import ClientMessageType, ServerMessageType
from aip_trio.messages._wide import ClientMessage, ServerMessage

__all__ = ["MessageValidator"]

_CLIENT_NEEDS: dict[ClientMessageType, tuple[str, ...]] = {
    ClientMessageType.REGISTER: ("client_id",),
    ClientMessageType.TASK: ("request", "client_id"),
    ClientMessageType.TASK_END: ("session_id",),
    ClientMessageType.COMMAND_RESULTS: ("session_id", "prev_response_id", "action_results"),
}
_SERVER_NEEDS: dict[ServerMessageType, tuple[str, ...]] = {
    ServerMessageType.TASK: ("user_request",),
    ServerMessageType.COMMAND: ("session_id", "response_id", "actions"),
    ServerMessageType.TASK_END: ("session_id",),
}


class MessageValidator:
    """Checks of wide messages: those of AIP's reference implementation, and one that says why not.

    The codec has checked the types of what came over the wire; here it is about what must not be missing.
    """

    @staticmethod
    def validate_registration(msg: ClientMessage) -> bool:
        """A register that names its client."""
        return msg.type == ClientMessageType.REGISTER and bool(msg.client_id)

    @staticmethod
    def validate_task_request(msg: ClientMessage) -> bool:
        """A task with a request, and a client who asks."""
        return msg.type == ClientMessageType.TASK and bool(msg.request and msg.client_id)

    @staticmethod
    def validate_command_results(msg: ClientMessage) -> bool:
        """Results, maybe none, that say what they answer."""
        return (
            msg.type == ClientMessageType.COMMAND_RESULTS
            and bool(msg.prev_response_id)
            and msg.action_results is not None
        )

    @staticmethod
    def validate_server_message(msg: ServerMessage) -> bool:
        """Anything with a type and a status; a command has actions, and an id for their answer."""
        if msg.type == ServerMessageType.COMMAND:
            return bool(msg.status and msg.actions and msg.response_id)
        return bool(msg.type and msg.status)

    @staticmethod
    def faults(message: ClientMessage | ServerMessage) -> tuple[str, ...]:
        """All that a peer would not take, each as "what @ path"; empty where there is nothing.

        Also looks for values of wrong types, which only the wire would show.
        """
        try:
            type(message).model_validate_json(message.model_dump_json())
        except EncodeError as error:
            return (error.reason,)
        except DecodeError as error:
            return error.faults
        if isinstance(message, ClientMessage):
            names = _CLIENT_NEEDS.get(message.type, ())
        else:
            names = _SERVER_NEEDS.get(message.type, ())
        return tuple(f"is required @ $.{name}" for name in names if _is_unset(message, name))


def _is_unset(message: ClientMessage | ServerMessage, name: str) -> bool:
    """Results may be none at all; what else is empty is as good as unset."""
    value = getattr(message, name)
    return value is None or (not value and name != "action_results")
