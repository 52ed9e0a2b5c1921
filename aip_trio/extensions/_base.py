"""What a program may be told of an endpoint."""

from __future__ import annotations

from aip_trio.messages import WireModel

__all__ = ["AIPExtension"]


class AIPExtension:
    """Is told what passes an endpoint's connections. Override what is of interest; a plain method will do.

    An endpoint (``extensions=``) calls these beside its own work: in order for each connection's
    ``endpoint_id``, which is the client's id at a server, the device's at a device and an orchestrator.
    What a hook raises is logged; one that does not return in time is cancelled; what does not fit into its
    queue meanwhile is dropped, which the log says.

    Source: wire/aip-api.md, "extensions". To look at a message before it goes on, or to stop it, is for
    `ProtocolMiddleware`.
    """

    async def on_message_sent(self, msg: WireModel) -> None:
        """This goes out, and was encoded already; its sending may yet fail. No checkpoint."""

    async def on_message_received(self, msg: WireModel) -> None:
        """This has come; whether it goes any further is not said. No checkpoint."""

    async def on_connection_established(self, endpoint_id: str) -> None:
        """This endpoint is registered, here or at its server. No checkpoint."""

    async def on_connection_closed(self, endpoint_id: str) -> None:
        """Its connection has gone, for whatever reason. No checkpoint."""

    async def on_error(self, error: Exception, context: str) -> None:
        """A message could not be read, or middleware failed on it, or the connection broke. No checkpoint.

        ``context`` says in words where that was.
        """
