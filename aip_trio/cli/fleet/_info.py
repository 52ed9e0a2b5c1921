"""The command ``info``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aip_trio.actors import ActorSystem
from aip_trio.cli._outline import outline
from aip_trio.cli._shell import Shell
from aip_trio.cli._token import read_token
from aip_trio.cli.fleet._options import Adapter, Device, TlsCa, TlsCert, TlsKey, TokenFile, Url, check_id
from aip_trio.cli.fleet._tls import client_tls

__all__ = ["info"]


def info(
    shell: Shell,
    url: Url,
    device: Device,
    token_file: TokenFile = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    adapter: Adapter = "native",
) -> int:
    """Show what a device tells of itself.

    Exit status 0: it did. 1: it did not. 2: it could not be asked.
    """
    check_id("device", device)
    token = read_token(token_file)
    tls = client_tls(url, tls_ca, tls_cert, tls_key)
    from aip_trio.cli.fleet._reach import LOST, reach

    async def ask(system: ActorSystem) -> dict[str, Any]:
        there = await reach("info", url, device, token, tls, adapter)
        return await there.endpoint.device_info(device)

    shell.log.expect(*LOST)
    told = shell.run(ask)
    shell.output.result({"device": device, "info": told}, lambda: _picture(told), _lines(told))
    return 0


def _lines(told: dict[str, Any]) -> Iterator[str]:
    return outline(told)


def _picture(told: dict[str, Any]) -> RenderableType:
    table = Table(show_header=False)
    for name, value in told.items():
        table.add_row(Text(name, "bold"), Text("\n".join(outline(value))))
    return table
