"""The command ``rpc bridge``."""

from __future__ import annotations

from typing import Annotated

import trio
import typer
from rich.text import Text

from aip_trio.actors import ActorSystem
from aip_trio.cli._errors import GaveUp
from aip_trio.cli._shell import Shell
from aip_trio.cli._token import read_token
from aip_trio.cli.fleet._options import Adapter, TlsCa, TlsCert, TlsKey, TokenFile, check_id
from aip_trio.cli.fleet._tls import client_tls
from aip_trio.cli.rpc._options import CommandPort, Host, SubscriberPort
from aip_trio.errors import PeerError, TransportError

__all__ = ["bridge"]


def bridge(
    shell: Shell,
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="The URL of the fleet's server, such as ws://127.0.0.1:8765/ws."),
    ],
    device_id: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The name of the device in the fleet; without it, the service's identifier."
        ),
    ] = None,
    host: Host = "127.0.0.1",
    subscriber_port: SubscriberPort = 5556,
    command_port: CommandPort = 5557,
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.001, help="Seconds for a command, its end included."),
    ] = 60.0,
    telemetry_interval: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="Seconds between reports of what happens; emergencies do not wait."
        ),
    ] = 1.0,
    token_file: TokenFile = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    adapter: Adapter = "native",
) -> int:
    """Have a service take part in a fleet, as a device whose tools are the service's commands.

    The device joins when the service is there, and leaves when that has gone. Prints a line when it has
    joined for the first time. SIGINT and SIGTERM stop it in order.
    """
    if device_id is not None:
        check_id("device-id", device_id)
    token = read_token(token_file)
    tls = client_tls(url, tls_ca, tls_cert, tls_key)
    from aip_trio.rpc.bridge import RpcBridge

    between = RpcBridge(
        url,
        host=host,
        subscriber_port=subscriber_port,
        command_port=command_port,
        device_id=device_id,
        timeout=timeout,
        telemetry_interval=telemetry_interval,
        token=token,
        ssl_context=tls,
        adapter=adapter,
    )

    async def announce() -> None:
        joined = await between.wait_joined()
        line = f"bridging {joined} to {url}"
        shell.output.result({"id": joined, "url": url}, lambda: Text(line), [line])

    async def run(system: ActorSystem) -> None:
        async with between, trio.open_nursery() as nursery:
            nursery.start_soon(announce)
            await between.stopped()
            nursery.cancel_scope.cancel()
        raise GaveUp("bridge")

    shell.log.expect(TransportError, PeerError)  # told in the endpoint's own words
    shell.run(run)
    return 0
