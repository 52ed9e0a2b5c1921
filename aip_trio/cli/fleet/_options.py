"""Options that several commands have, and what they accept."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from aip_trio.errors import InvalidOption

__all__ = [
    "Adapter",
    "Allow",
    "Device",
    "EndWithStdin",
    "Root",
    "TlsCa",
    "TlsCert",
    "TlsKey",
    "TokenFile",
    "Tools",
    "Url",
    "check_id",
]

#: `aip_trio.transport.ADAPTERS`, which is not loaded for a help text.
AdapterChoice = Literal["native", "websockets", "trio-websocket"]

Url = Annotated[
    str,
    typer.Option(metavar="URL", help="The server's URL: ws://127.0.0.1:8765/ws, or tcp://127.0.0.1:5555."),
]
Device = Annotated[str, typer.Option(metavar="NAME", help="The device's name.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file with the token that the server asks of its clients."),
]
Root = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The folder below which files may be read and written; without it there are no file tools.",
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PROGRAM",
        help="A program that may be run, by its name on PATH or absolute path; give it again for more.",
    ),
]
Tools = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODULE:NAME",
        help="Tools of your own: an async function, a ToolRegistry, or a function that makes one; give it"
        " again for more.",
    ),
]
TlsCa = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The authority's certificate, in PEM, that the server's is signed by; without it, the system's.",
    ),
]
TlsCert = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A certificate to show to the server, with its chain, in PEM."),
]
TlsKey = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The certificate's key, where it is in a file of its own."),
]
Adapter = Annotated[
    AdapterChoice,
    typer.Option(help="What speaks WebSocket: code of our own, or the library of that name."),
]
EndWithStdin = Annotated[
    bool,
    typer.Option(
        "--end-with-stdin",
        help="End when standard input is closed: a pipe there ties this program to who started it.",
    ),
]


def check_id(option: str, value: str) -> str:
    """A name that a device may have. Raises InvalidOption."""
    from aip_trio.protocol import id_fault

    fault = id_fault(value)
    if fault is not None:
        raise InvalidOption(option, value, f"cannot be a device's name: {fault}")
    return value
