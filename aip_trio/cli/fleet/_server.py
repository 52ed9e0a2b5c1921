"""The command ``server``."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from aip_trio.actors import Crashed, Event, Started, Stopped
from aip_trio.cli._shell import Shell
from aip_trio.cli._token import read_token
from aip_trio.cli.fleet._options import Adapter, EndWithStdin
from aip_trio.cli.fleet._tls import server_tls
from aip_trio.errors import InvalidOption

__all__ = ["server"]

_CLIENT = re.compile("/server/connections/([^/]+)")


def server(
    shell: Shell,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen at; other machines reach 0.0.0.0.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="The port; 0 picks a free one.")
    ] = 8765,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:NAME",
            help="Your own `async def name(session)` for tasks; without it their metadata lists commands.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A file with a token that clients must know; others are refused with 401."
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A certificate, with its chain, in PEM: clients then use wss://."),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The certificate's key, where it is in a file of its own."),
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An authority's certificate, in PEM: clients must show one that it has signed.",
        ),
    ] = None,
    drain: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="Seconds that running tasks may go on when the server is stopped."
        ),
    ] = 0.0,
    resume_window: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="How long a client may be without its socket before it counts as gone, and its tasks fail.",
        ),
    ] = 120.0,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let other machines in without a token.")
    ] = False,
    adapter: Adapter = "native",
    end_with_stdin: EndWithStdin = False,
) -> int:
    """Run the server of a fleet: devices connect to it, and those who have tasks for them.

    Prints a line when it is ready, with its URL. SIGINT and SIGTERM stop it in order.
    """
    token = read_token(token_file)
    if token is None and tls_client_ca is None and not insecure:
        _check_exposure(host)
    context = server_tls(tls_cert, tls_key, tls_client_ca)
    from aip_trio.cli.fleet._load import load_task
    from aip_trio.cli.fleet._serving import serve
    from aip_trio.endpoints import DeviceServerEndpoint, run_listed_commands

    function = run_listed_commands if task is None else load_task(task)
    endpoint = DeviceServerEndpoint(
        task=function,
        host=host,
        port=port,
        token=token,
        ssl_context=context,
        drain=drain,
        resume_window=resume_window,
        adapter=adapter,
    )

    def ready() -> None:
        line = f"listening on {endpoint.url}"
        shell.output.result({"url": endpoint.url}, lambda: Text(line), [line])

    shell.run(lambda system: serve(system, endpoint, ready=ready, tell=_tell, end_with_stdin=end_with_stdin))
    return 0


def _tell(event: Event) -> str | None:
    client = _CLIENT.fullmatch(event.path)
    if client is not None:
        if isinstance(event, Started):
            return f"{client[1]} has connected"
        if isinstance(event, (Stopped, Crashed)):
            return f"{client[1]} has gone"
    return None


def _check_exposure(host: str) -> None:
    """Without a token, this machine alone. Raises InvalidOption."""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise InvalidOption(
            "host",
            host,
            "lets other machines in, and everybody may give tasks to the devices: give --token-file or"
            " --tls-client-ca too, or --insecure if you want that",
        )
