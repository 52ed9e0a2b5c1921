"""Where a connection comes in: its first frame decides whether it becomes a client."""

from __future__ import annotations

import logging

import attrs
import trio

from aip_trio.actors import ActorRef, ActorSystem
from aip_trio.endpoints.server._directory import Client
from aip_trio.endpoints.server._hub import Hub
from aip_trio.errors import (
    ChildAlreadyStarted,
    DecodeError,
    PeerError,
    RegistrationRefused,
    StartFailed,
    TransportError,
)
from aip_trio.messages import ClientMessage, ErrorFromServer, Register, widen_server
from aip_trio.protocol import Accepted, Admission, AIPProtocol, timestamp

__all__ = ["Reception"]

logger = logging.getLogger("aip_trio.endpoints")

_ADMISSION = Admission()


@attrs.frozen
class Reception:
    """Registers connections, and stays with each until it ends (wire/aip.md, 1)."""

    hub: Hub
    system: ActorSystem

    async def receive(self, protocol: AIPProtocol, websocket: object) -> None:  # noqa: ASYNC910 - internal
        """Serve one connection to its end. A checkpoint; cancelled, the connection ends.

        Never raises for what the peer does: a refusal is told to it, and then it is closed.
        """
        try:
            register = await self._first_frame(protocol)
            await self._admit(protocol, register, websocket)
        except PeerError as refused:
            await self._turn_away(protocol, refused)
        except TransportError as lost:
            logger.info("a connection was lost before it had registered: %s", lost)

    async def _first_frame(self, protocol: AIPProtocol) -> Register:
        """Raises PeerError, TransportError."""
        with trio.move_on_after(self.hub.registration_timeout):
            data = await protocol.transport.receive()
            frame: ClientMessage | DecodeError
            try:
                frame = await protocol.unpack(data, ClientMessage)
            except DecodeError as error:
                frame = error
            verdict = _ADMISSION.first_frame(frame)
            if isinstance(verdict, Accepted):
                return verdict.register
            raise RegistrationRefused("", verdict.reason)
        raise RegistrationRefused(
            "", f"no frame within {self.hub.registration_timeout:g} s: register with the first one"
        )

    async def _admit(self, protocol: AIPProtocol, register: Register, websocket: object) -> None:
        holder = self.hub.directory.claim(register)
        try:
            if holder is not None:
                await self._replace(holder)
            connection = await self._start(protocol, register, websocket)
        except StartFailed as failed:
            if isinstance(failed.cause, TransportError):
                raise failed.cause from None
            raise
        finally:
            self.hub.directory.release(register)
        try:
            await connection.stopped()
        finally:
            if not self.system.hurrying:  # else it ends in its turn, after whoever called us
                with trio.move_on_after(5, shield=True):
                    await connection.stop()

    async def _start(self, protocol: AIPProtocol, register: Register, websocket: object) -> ActorRef:
        """Its connection; where its predecessor's has not quite ended yet, after that."""
        connections, client_id = self.hub.connections, register.client_id
        while True:
            try:
                return await connections.start_child_with(protocol, register, websocket, name=client_id)
            except ChildAlreadyStarted:
                for child in connections.which_children():
                    if child.name == client_id:
                        await child.ref.stop()

    async def _replace(self, holder: Client) -> None:
        """Take a ghost's place; one that answers a ping stays. Raises RegistrationRefused."""
        with trio.move_on_after(self.hub.ghost_timeout):
            try:
                await holder.line.protocol.transport.ping()
            except TransportError:
                pass
            else:
                raise RegistrationRefused(holder.id, _ADMISSION.taken(holder.id).reason)
        logger.info("client %s: its old connection does not answer and is replaced", holder.id)
        await holder.line.protocol.cut()
        await holder.connection.stop()

    async def _turn_away(self, protocol: AIPProtocol, refused: PeerError) -> None:  # noqa: ASYNC910 - internal
        logger.warning("a connection was refused: %s", refused)
        reason = refused.reason if isinstance(refused, RegistrationRefused) else str(refused)
        message = ErrorFromServer(reason, response_id=self.system.environment.new_id())
        try:
            await protocol.send_message(widen_server(message, timestamp=timestamp()))
            await protocol.transport.close()
        except TransportError as lost:
            logger.info("the refused one had gone: %s", lost)
