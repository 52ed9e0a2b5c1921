"""How a function becomes a command: the options that all share, and the end of every failure."""

import contextlib
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec

import attrs
import typer

from aip_trio.cli._errors import OutputClosed
from aip_trio.cli._failures import reasons, report_failure
from aip_trio.cli._logs import open_log
from aip_trio.cli._output import Output
from aip_trio.cli._settings import LogFormat, LogLevel, Settings
from aip_trio.cli._shell import Shell

__all__ = ["Debug", "Json", "LogFormatOption", "LogLevelOption", "run_command", "with_shell"]

P = ParamSpec("P")

_PANEL = "Options of every command"

Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print JSON, one object on each line, and nothing else.",
        rich_help_panel=_PANEL,
    ),
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show where an error was raised.", rich_help_panel=_PANEL)
]
LogLevelOption = Annotated[
    LogLevel | None,
    typer.Option("--log-level", help="Log from this level on, to stderr.", rich_help_panel=_PANEL),
]
LogFormatOption = Annotated[
    LogFormat | None, typer.Option("--log-format", help="How the log is written.", rich_help_panel=_PANEL)
]

_SHARED: dict[str, tuple[Any, object]] = {
    "json": (Json, False),
    "debug": (Debug, False),
    "log_level": (LogLevelOption, None),
    "log_format": (LogFormatOption, None),
}


def with_shell(
    function: Callable[Concatenate[Shell, P], int], *, log_level: LogLevel = LogLevel.WARNING
) -> Callable[..., None]:
    """A command for typer, from a function that takes a `Shell` and its own options, and returns a status.

    The command also takes the options that all have; an exception becomes a line and an exit status.
    ``log_level``: where the user names none.
    """

    def command(context: typer.Context, **arguments: Any) -> None:
        shared = {name: arguments.pop(name) for name in _SHARED}
        settings = (context.find_object(Settings) or Settings()).refined(**shared)
        settings = attrs.evolve(settings, log_level=settings.log_level or log_level)
        raise typer.Exit(run_command(settings, lambda shell: run(shell, **arguments)))

    run: Callable[..., int] = function
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _SHARED.items()
    ]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [context, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *shared]
    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def run_command(settings: Settings, command: Callable[[Shell], int]) -> int:
    """Give a command its shell, and return its exit status; see `report_failure` for that of a failure."""
    output = Output(settings)
    with open_log(settings) as log:
        try:
            status = command(Shell(settings, output, log))
            output.flush()
            if output.closed:  # what was found has reached nobody
                raise OutputClosed
        except Exception as error:  # noqa: BLE001 - told to the user, who cannot do more with it
            status = report_failure(error, debug=settings.debug)
            with contextlib.suppress(OSError):
                output.failure("; ".join(reasons(error)), status)
    return status
