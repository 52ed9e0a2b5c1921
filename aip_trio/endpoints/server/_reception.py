"""Where a connection comes in: its first frame decides whether it becomes a client."""

from __future__ import annotations

import logging

import attrs
import trio

from aip_trio.actors import ActorRef, ActorSystem
from aip_trio.endpoints._starting import reason_of
from aip_trio.endpoints.server._directory import Client
from aip_trio.endpoints.server._hub import Hub
from aip_trio.errors import (
    ChildAlreadyStarted,
    DecodeError,
    MiddlewareFailed,
    PeerError,
    RegistrationRefused,
    StartFailed,
    TransportError,
)
from aip_trio.messages import ClientMessage, ErrorFromServer, Register, widen_server
from aip_trio.protocol import Accepted, Admission, AIPProtocol, LinkTransport, timestamp
from aip_trio.transport import Transport

__all__ = ["Reception"]

logger = logging.getLogger("aip_trio.endpoints")

_ADMISSION = Admission()


@attrs.frozen
class Reception:
    """Registers connections, and stays with each until it ends (wire/aip.md, 1).

    On `aip.v2` it is a link that registers, once: it outlives the connections that carry it.
    """

    hub: Hub
    system: ActorSystem

    async def receive(self, transport: Transport, websocket: object) -> None:
        """Serve one connection to its end. A checkpoint; cancelled, the connection ends.

        Never raises for what the peer does: a refusal is told to it, and then it is closed.
        """
        if self.hub.links.takes(transport):
            await self._carry(transport, websocket)
            return
        connection = await self._register(transport, websocket)
        if connection is not None:
            await self._stay(connection)

    async def _carry(self, transport: Transport, websocket: object) -> None:  # noqa: ASYNC910 - internal
        """A connection that is to carry a link: a new one, or one that has lost its connection."""
        try:
            with trio.fail_after(self.hub.registration_timeout):
                link, resumed = await self.hub.links.accept(transport)
        except trio.TooSlowError:
            refused = self._refusal("registration", f"no hello within {self.hub.registration_timeout:g} s")
            logger.warning("a connection was refused: %s", refused)
            await transport.close()
            return
        except (PeerError, TransportError) as error:
            logger.info("a link was refused: %s", error)
            await transport.close()
            return
        if resumed:
            logger.info("client %s is back: its session is resumed over a new connection", link.owner)
            await link.carry(transport)
            self._tell_loss(link)
            return
        connection: ActorRef | None = None

        async def enter() -> None:
            nonlocal connection
            connection = await self._register(link, websocket)
            if connection is None:
                await link.close()
            else:
                link.owner = connection.name

        try:
            await link.carry(transport, beside=enter)
            self._tell_loss(link)
        finally:
            if connection is None:  # it has not registered: there is nothing to come back to
                with trio.CancelScope(shield=True) as now:
                    now.cancel()
                    await link.close()

    def _tell_loss(self, link: LinkTransport) -> None:
        """Whoever watches a fleet learns at once that a client is away, and not after the window."""
        if link.is_connected and not link.attached:
            left = link.deadline - trio.current_time()
            logger.info("client %s has lost its connection: it has %.4g s to come back", link.owner, left)

    async def _register(self, transport: Transport, websocket: object) -> ActorRef | None:  # noqa: ASYNC910 - internal
        """Make a connection a client; None: it was refused, or has gone."""
        protocol = self.hub.fittings.fit(AIPProtocol(transport))
        try:
            register = await self._first_frame(protocol)
            return await self._admit(protocol, register, websocket)
        except PeerError as refused:
            await self._turn_away(protocol, refused)
        except TransportError as lost:
            logger.info("a connection was lost before it had registered: %s", lost)
        return None  # noqa: ASYNC910 - internal

    async def _stay(self, connection: ActorRef) -> None:  # noqa: ASYNC910 - internal
        """With a connection, until it ends; cancelled, end it."""
        try:
            await connection.stopped()
        finally:
            if not self.system.hurrying:  # else it ends in its turn, after whoever called us
                with trio.move_on_after(5, shield=True):
                    await connection.stop()

    async def _first_frame(self, protocol: AIPProtocol) -> Register:
        """Raises PeerError, TransportError."""
        with trio.move_on_after(self.hub.registration_timeout):
            data = await protocol.receive_frame()
            frame: ClientMessage | DecodeError
            try:
                frame = await protocol.unpack(data, ClientMessage)
            except DecodeError as error:
                protocol.report(error)
                frame = error
            except (PeerError, MiddlewareFailed) as error:
                raise self._refusal("registration", protocol.refused(error)) from error
            verdict = _ADMISSION.first_frame(frame)
            if isinstance(verdict, Accepted):
                return self._certified(verdict.register, protocol.transport)
            raise self._refusal("registration", verdict.reason)
        late = f"no frame within {self.hub.registration_timeout:g} s: register with the first one"
        raise self._refusal("registration", late)

    def _certified(self, register: Register, transport: Transport) -> Register:
        """The same, where its client may have this id. Raises RegistrationRefused."""
        names = transport.peer_names
        if self.hub.certificate_names_client and register.client_id not in names:
            named = ", ".join(names) or "nobody"
            reason = (
                f"client_id {register.client_id!r} is not in the client's certificate, which names {named}"
            )
            raise self._refusal("certificate", reason, register.client_id)
        return register

    def _refusal(self, rule: str, reason: str, client_id: str = "") -> RegistrationRefused:
        return self.hub.directory.refusal(rule, client_id, reason)

    async def _admit(self, protocol: AIPProtocol, register: Register, websocket: object) -> ActorRef:
        holder = self.hub.directory.claim(register)
        try:
            if holder is not None:
                await self._replace(holder)
            return await self._start(protocol, register, websocket)
        except StartFailed as failed:
            cause = reason_of(failed)
            if isinstance(cause, TransportError):
                raise cause from None
            raise
        finally:
            self.hub.directory.release(register)

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
        """Take a ghost's place; one that answers a ping stays. Raises RegistrationRefused.

        A link that nothing carries is a ghost at once: its client would have resumed it.
        """
        transport = holder.line.protocol.transport
        detached = isinstance(transport, LinkTransport) and not transport.attached
        with trio.move_on_after(0 if detached else self.hub.ghost_timeout):
            try:
                await transport.ping()
            except TransportError:
                pass
            else:
                raise self._refusal("taken", _ADMISSION.taken(holder.id).reason, holder.id)
        logger.info("client %s: its old connection does not answer and is replaced", holder.id)
        await holder.line.protocol.cut()
        await holder.connection.stop()

    async def _turn_away(self, protocol: AIPProtocol, refused: PeerError) -> None:  # noqa: ASYNC910 - internal
        logger.warning("a connection was refused: %s", refused)
        reason = refused.reason if isinstance(refused, RegistrationRefused) else str(refused)
        message = ErrorFromServer(reason, response_id=self.system.environment.new_id())
        try:
            wide = widen_server(message, timestamp=timestamp())
            await protocol.transport.send(await protocol.pack_or_say(wide, lambda _: wide))
            await protocol.transport.close()
        except TransportError as lost:
            logger.info("the refused one had gone: %s", lost)
