"""The messages of tasks, from both ends: wire/aip.md 4 and 5."""

from collections.abc import Iterable, Mapping
from typing import Any

from aip_trio.actors import current_environment
from aip_trio.errors import InvalidSpec
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ClientType,
    Codec,
    Command,
    Result,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol._conversations import NO_STEP, Conversations, Step
from aip_trio.protocol._protocol import AIPProtocol, or_new_id
from aip_trio.protocol._task_session import (
    TASK_SESSION_MACHINE,
    TaskSessionEvent,
    TaskSessionState,
    end_event,
)
from aip_trio.protocol._timestamp import timestamp
from aip_trio.transport import Transport

__all__ = ["TaskExecutionProtocol"]


class TaskExecutionProtocol(AIPProtocol):
    """Sends the messages of task sessions, and knows where each of them stands.

    Keeps to `TASK_SESSION_MACHINE` for each session that passes through it both ways. Every send is a
    checkpoint, and raises as `send_message` does.
    """

    def __init__(self, transport: Transport, *, codec: Codec | None = None) -> None:
        super().__init__(transport, codec=codec)
        self._sessions = Conversations(TASK_SESSION_MACHINE)

    def session_state(self, session_id: str) -> TaskSessionState | None:
        """Where a session stands, or None where nothing of it has passed here."""
        return self._sessions.state(session_id)

    # Clients

    async def send_task_request(
        self,
        request: str,
        task_name: str | None,
        session_id: str | None,
        client_id: str,
        target_id: str | None = None,
        client_type: ClientType = ClientType.DEVICE,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask for a task: a constellation for a device (``target_id``), or a device for itself."""
        await self.send_message(
            ClientMessage(
                type=ClientMessageType.TASK,
                status=TaskStatus.CONTINUE,
                client_type=client_type,
                session_id=session_id,
                task_name=task_name,
                client_id=client_id,
                target_id=target_id,
                request=request,
                timestamp=timestamp(),
                request_id=current_environment().new_id(),
                metadata=None if metadata is None else dict(metadata),
            )
        )

    async def send_command_results(
        self,
        action_results: Iterable[Result],
        session_id: str,
        client_id: str | None,
        prev_response_id: str,
        status: TaskStatus = TaskStatus.CONTINUE,
    ) -> None:
        """Answer a command: one result for each of its actions, in their order."""
        await self.send_message(
            ClientMessage(
                type=ClientMessageType.COMMAND_RESULTS,
                status=status,
                session_id=session_id,
                client_id=client_id,
                action_results=list(action_results),
                timestamp=timestamp(),
                request_id=current_environment().new_id(),
                prev_response_id=prev_response_id,
            )
        )

    async def send_task_result(
        self,
        session_id: str,
        prev_response_id: str,
        action_results: Iterable[Result],
        status: TaskStatus = TaskStatus.CONTINUE,
        client_id: str | None = None,
    ) -> None:
        """`send_command_results`, with the arguments in another order."""
        await self.send_command_results(action_results, session_id, client_id, prev_response_id, status)

    async def send_task_end_ack(
        self, session_id: str, client_id: str | None, status: TaskStatus, error: str | None = None
    ) -> None:
        """Acknowledge the end of a session, or end it."""
        await self.send_message(
            ClientMessage(
                type=ClientMessageType.TASK_END,
                status=status,
                session_id=session_id,
                client_id=client_id,
                timestamp=timestamp(),
                error=error,
            )
        )

    # Servers

    async def send_task_assignment(
        self,
        user_request: str,
        task_name: str | None,
        session_id: str | None,
        response_id: str | None,
        agent_name: str | None = None,
        process_name: str | None = None,
    ) -> None:
        """Offer a device a task."""
        await self.send_message(
            ServerMessage(
                type=ServerMessageType.TASK,
                status=TaskStatus.CONTINUE,
                user_request=user_request,
                agent_name=agent_name,
                process_name=process_name,
                session_id=session_id,
                task_name=task_name,
                timestamp=timestamp(),
                response_id=response_id,
            )
        )

    async def send_command(self, server_message: ServerMessage) -> None:
        """Send a command message that is made already.

        :raises InvalidSpec: it is another kind of message
        """
        if server_message.type is not ServerMessageType.COMMAND:
            raise InvalidSpec(
                "server_message.type", server_message.type.value, "give a command, or send_message() it"
            )
        await self.send_message(server_message)

    async def send_commands(
        self,
        actions: Iterable[Command],
        session_id: str,
        response_id: str,
        status: TaskStatus = TaskStatus.CONTINUE,
        agent_name: str | None = None,
        process_name: str | None = None,
        root_name: str | None = None,
        task_name: str | None = None,
    ) -> None:
        """Have the device run these one after another; its results name this ``response_id``."""
        await self.send_message(
            ServerMessage(
                type=ServerMessageType.COMMAND,
                status=status,
                agent_name=agent_name,
                process_name=process_name,
                root_name=root_name,
                actions=list(actions),
                session_id=session_id,
                task_name=task_name,
                timestamp=timestamp(),
                response_id=response_id,
            )
        )

    async def send_task_end(
        self,
        session_id: str,
        status: TaskStatus,
        result: Any = None,
        error: str | None = None,
        response_id: str | None = None,
    ) -> None:
        """Tell that a session is over: completed with ``result``, or failed with ``error``.

        :raises InvalidSpec: the status says that it goes on
        """
        if end_event(status) is None:
            raise InvalidSpec("status", status.value, "a session ends with completed or failed")
        await self.send_message(
            ServerMessage(
                type=ServerMessageType.TASK_END,
                status=status,
                error=error,
                session_id=session_id,
                timestamp=timestamp(),
                response_id=or_new_id(response_id),
                result=result,
            )
        )

    # The machine

    def _advance(self, message: WireModel, *, sending: bool) -> Step:
        if not isinstance(message, (ClientMessage, ServerMessage)) or message.session_id is None:
            return NO_STEP
        session = message.session_id
        if message.type in (ClientMessageType.TASK, ServerMessageType.TASK):
            return self._open(session)
        if message.type is ClientMessageType.COMMAND_RESULTS:
            awaiting = TaskSessionState.AWAITING_RESULTS
            return self._sessions.fire(session, TaskSessionEvent.RESULTS, joins=awaiting, strict=self._strict)
        if message.type is ServerMessageType.COMMAND:
            return self._run(session, TaskSessionEvent.COMMAND)
        end = end_event(message.status)
        if end is None or message.type not in (ClientMessageType.TASK_END, ServerMessageType.TASK_END):
            return NO_STEP
        if isinstance(message, ClientMessage) and not self._runs(session):
            return NO_STEP  # acknowledges its end
        return self._run(session, end)

    def _runs(self, session: str) -> bool:
        state = self._sessions.state(session)
        return state is not None and bool(TASK_SESSION_MACHINE.table[state])

    def _open(self, session: str) -> Step:
        """A task is offered and then asked for, or only asked for; one that has ended may be tried again."""
        state = self._sessions.state(session)
        if state in (TaskSessionState.RUNNING, TaskSessionState.AWAITING_RESULTS) and self._strict:
            TASK_SESSION_MACHINE.next(state, TaskSessionEvent.BEGIN)
        return self._sessions.open(session)

    def _run(self, session: str, event: TaskSessionEvent) -> Step:
        """The first thing that happens in a session begins it; it may as well be its end."""
        begins = self._sessions.state(session) is TaskSessionState.REQUESTED
        events = (TaskSessionEvent.BEGIN, event) if begins else (event,)
        return self._sessions.fire(session, *events, joins=TaskSessionState.RUNNING, strict=self._strict)
