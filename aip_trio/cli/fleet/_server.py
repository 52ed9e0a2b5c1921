"""The command ``server``."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from aip_trio.actors import Crashed, Event, Started, Stopped
from aip_trio.cli._exposure import is_local
from aip_trio.cli._shell import Shell
from aip_trio.cli._token import read_token
from aip_trio.cli.fleet._options import Adapter, EndWithStdin
from aip_trio.cli.fleet._tls import server_tls
from aip_trio.errors import InvalidOption

__all__ = ["server"]

#: Where clients look for a server that was told nothing.
_PORT = 8765

_CLIENT = re.compile("/server/connections/([^/]+)")


def server(
    shell: Shell,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen at; other machines reach 0.0.0.0.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="The WebSocket's port; 0 picks a free one. 8765, where there is no --url.",
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where to listen by ZeroMQ: tcp://127.0.0.1:5555, or ipc:// and a file.",
        ),
    ] = None,
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

    Prints a line for each address when it is ready. SIGINT and SIGTERM stop it in order.
    """
    token = read_token(token_file)
    if url is None and port is None:
        port = _PORT
    if token is None and not insecure:
        if port is not None and tls_client_ca is None:
            _check_exposure("host", host, host)
        if url is not None:
            _check_exposure("url", url, _host_of(url))
    context = server_tls(tls_cert, tls_key, tls_client_ca)
    from aip_trio.cli.fleet._load import load_task
    from aip_trio.cli.fleet._serving import serve
    from aip_trio.endpoints import DeviceServerEndpoint, run_listed_commands

    function = run_listed_commands if task is None else load_task(task)
    endpoint = DeviceServerEndpoint(
        task=function,
        host=host,
        port=port,
        url=url,
        token=token,
        ssl_context=context,
        drain=drain,
        resume_window=resume_window,
        adapter=adapter,
    )

    def ready() -> None:
        lines = [f"listening on {each}" for each in endpoint.urls]
        told = {"url": endpoint.url, "urls": endpoint.urls}
        shell.output.result(told, lambda: Text("\n".join(lines)), lines)

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


def _host_of(url: str) -> str:
    """What a URL of ZeroMQ lets other machines in by; a file is this machine's own."""
    scheme, _, rest = url.partition("://")
    return rest.rpartition(":")[0].strip("[]") if scheme == "tcp" else "localhost"


def _check_exposure(option: str, value: str, host: str) -> None:
    """Without a token, this machine alone. Raises InvalidOption."""
    if not is_local(host):
        proof = "--token-file or --tls-client-ca" if option == "host" else "--token-file"
        raise InvalidOption(
            option,
            value,
            f"lets other machines in, and everybody may give tasks to the devices: give {proof} too, or"
            " --insecure if you want that",
        )
