"""The program: its commands, and the options in front of them."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from aip_trio.cli._commands import Debug, Json, LogFormatOption, LogLevelOption, with_shell
from aip_trio.cli._settings import LogLevel, Settings
from aip_trio.cli.demo import demo
from aip_trio.cli.fleet import device, info, server, task, tools
from aip_trio.cli.rpc import bridge, console, send, serve, watch

__all__ = ["make_program", "run"]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aip-trio {version('aip-trio')}")
        raise typer.Exit


def _begin(
    context: typer.Context,
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
    json: Json = False,
    debug: Debug = False,
    log_level: LogLevelOption = None,
    log_format: LogFormatOption = None,
) -> None:
    """A fleet of devices: its server, its devices, and what they are asked to do."""
    context.obj = Settings().refined(json=json, debug=debug, log_level=log_level, log_format=log_format)


def make_program() -> typer.Typer:
    """All commands."""
    program = typer.Typer(
        name="aip-trio", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    program.callback()(_begin)
    program.command("server")(with_shell(server, log_level=LogLevel.INFO))
    program.command("device")(with_shell(device, log_level=LogLevel.INFO))
    program.command("task")(with_shell(task))
    program.command("info")(with_shell(info))
    program.command("tools")(with_shell(tools))
    program.command("demo")(with_shell(demo))
    program.add_typer(_rpc())
    return program


def _rpc() -> typer.Typer:
    """The commands below ``rpc``."""
    rpc = typer.Typer(
        name="rpc",
        help="Events and commands over ZeroMQ, as auto-trainer-api has them.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    rpc.command("serve")(with_shell(serve, log_level=LogLevel.INFO))
    rpc.command("send")(with_shell(send))
    rpc.command("watch")(with_shell(watch))
    rpc.command("console")(with_shell(console))
    rpc.command("bridge")(with_shell(bridge, log_level=LogLevel.INFO))
    return rpc


def run(arguments: Sequence[str] | None) -> int:
    """Run the program, and return its exit status."""
    try:
        make_program()(args=arguments, prog_name="aip-trio")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
