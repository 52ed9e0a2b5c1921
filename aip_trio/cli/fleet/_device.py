"""The command ``device``."""

from typing import Annotated

import typer
from rich.text import Text

from aip_trio.actors import Crashed, Event, Restarted, Stopped
from aip_trio.cli._failures import describe, leaves
from aip_trio.cli._shell import Shell
from aip_trio.cli._token import read_token
from aip_trio.cli.fleet._options import (
    Adapter,
    Allow,
    EndWithStdin,
    Root,
    TlsCa,
    TlsCert,
    TlsKey,
    TokenFile,
    Tools,
    Url,
    check_id,
)
from aip_trio.cli.fleet._tls import client_tls
from aip_trio.errors import PeerError, TransportError

__all__ = ["device"]

_CONNECTION = "/device/connection"

#: Why a connection cannot be made, or is lost: no fault of the device's, and told in its own words.
_PLANNED = (TransportError, PeerError)


def device(
    shell: Shell,
    url: Url,
    id: Annotated[str, typer.Option(metavar="NAME", help="The name of this device, unique at its server.")],
    root: Root = None,
    allow: Allow = None,
    tools: Tools = None,
    token_file: TokenFile = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    adapter: Adapter = "native",
    end_with_stdin: EndWithStdin = False,
) -> int:
    """Run a device: it connects to a server, and does what tasks there ask of its tools.

    Prints a line when it is registered. A lost connection is made again, for ever. SIGINT and SIGTERM stop
    it in order. `aip-trio tools` lists the tools that it comes with; modules of your own are looked for in
    the current folder, too.
    """
    check_id("id", id)
    token = read_token(token_file)
    tls = client_tls(url, tls_ca, tls_cert, tls_key)
    from aip_trio.cli.fleet._load import add_tools
    from aip_trio.cli.fleet._serving import serve
    from aip_trio.endpoints import DeviceClientEndpoint
    from aip_trio.endpoints.tools import ToolClient, builtin_tools
    from aip_trio.resilience import ReconnectionStrategy

    registry = builtin_tools(root, allow or ())
    add_tools(registry, tools or ())
    endpoint = DeviceClientEndpoint(
        url,
        ToolClient(id, registry),
        # Back soon after its server was restarted, but not in the same moment as all other devices.
        reconnection_strategy=ReconnectionStrategy(
            None, initial_backoff=0.2, max_backoff=5.0, jitter=True, reset_after=5.0
        ),
        timeout=30.0,
        token=token,
        ssl_context=tls,
        adapter=adapter,
    )

    def ready() -> None:
        line = f"{id} is registered at {url}"
        shell.output.result({"id": id, "url": url}, lambda: Text(line), [line])

    def tell(event: Event) -> str | None:
        if event.path == _CONNECTION:
            if isinstance(event, Stopped):
                return f"{id} has lost its connection, and connects again"
            if isinstance(event, Restarted):
                return f"{id} is connected again"
            if isinstance(event, Crashed) and all(isinstance(leaf, _PLANNED) for leaf in leaves(event.error)):
                reasons = "; ".join(dict.fromkeys(map(describe, leaves(event.error))))
                return f"{id} cannot connect, and tries again: {reasons}"
        return None

    shell.log.expect(*_PLANNED)
    shell.run(lambda system: serve(system, endpoint, ready=ready, tell=tell, end_with_stdin=end_with_stdin))
    return 0
