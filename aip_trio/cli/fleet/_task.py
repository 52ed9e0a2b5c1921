"""The command ``task``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import trio
import typer
from rich.spinner import Spinner
from rich.text import Text

from aip_trio.actors import ActorSystem
from aip_trio.cli._output import Output
from aip_trio.cli._shell import Shell
from aip_trio.cli._token import read_token
from aip_trio.cli.fleet._options import Adapter, Device, TlsCa, TlsCert, TlsKey, TokenFile, Url, check_id
from aip_trio.cli.fleet._orders import read_order
from aip_trio.cli.fleet._tls import client_tls

if TYPE_CHECKING:
    from aip_trio.cli.fleet._answer import Answer

__all__ = ["task"]

#: Seconds between two pictures.
_PICTURE = 0.1


def task(
    shell: Shell,
    url: Url,
    device: Device,
    command: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'TOOL {JSON}'",
            help="A tool and its parameters, which may be left out; give it again for more, done in order.",
        ),
    ] = None,
    metadata: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|{JSON}",
            help="The task's metadata, a JSON object or a file that holds one: for a server with a task"
            " function of its own, or to list the commands.",
        ),
    ] = None,
    request: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What is asked for, in words; without it, the tools' names."),
    ] = None,
    token_file: TokenFile = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    adapter: Adapter = "native",
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Seconds for the task; then it is cancelled.")
    ] = 300.0,
) -> int:
    """Give a device a task: commands for its tools, done one after the other. All are done, whatever fails.

    A server that was started with a task function of its own does what that makes of request and metadata.

    Exit status 0: completed. 1: failed. 2: it could not be given to the device.
    """
    check_id("device", device)
    order = read_order(command or (), metadata, request)
    token = read_token(token_file)
    tls = client_tls(url, tls_ca, tls_cert, tls_key)
    from aip_trio.cli.fleet._reach import LOST, reach

    async def perform(system: ActorSystem) -> Answer:
        there = await reach("task", url, device, token, tls, adapter)
        async with trio.open_nursery() as nursery:
            said = [f"{order.request} on {device}"]
            nursery.start_soon(_show, shell.output, said)
            answer = await there.perform(order.request, order.metadata, timeout, said.append)
            nursery.cancel_scope.cancel()
        return answer

    shell.log.expect(*LOST)
    answer = shell.run(perform)
    shell.output.result(answer.data(), answer.picture, answer.lines())
    return 0 if answer.completed else 1


async def _show(output: Output, said: list[str]) -> None:
    """The last line of how it goes, while it goes."""
    await trio.lowlevel.checkpoint()
    with output.view() as view:
        began = trio.current_time()
        spinner = Spinner("dots")
        while view.visible:
            spinner.update(text=Text(f"{said[-1]}, {trio.current_time() - began:.1f} s"))
            view.show(spinner)
            await trio.sleep(_PICTURE)
