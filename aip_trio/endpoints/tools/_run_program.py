"""The tool that runs a program of the device's list."""

import math
import os
import shutil
from collections.abc import Iterable, Mapping
from typing import Annotated

import attrs
import trio
from msgspec import Meta

from aip_trio.endpoints.tools._process import run_process
from aip_trio.endpoints.tools._tool import Tool, tool
from aip_trio.errors import InvalidOption, ProgramNotAllowed, ProgramNotStarted, ToolFailed, ToolTimeout

__all__ = ["ProgramEnd", "run_program_tool"]

#: What a program is told of the device's own environment. A token in it is none of a program's business.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")

_MOST_OUTPUT = 1024 * 1024


@attrs.frozen
class ProgramEnd:
    """How a program ended. ``exit_status``: 0 for success, minus the signal's number where one ended it.

    ``truncated``: it wrote more than is told, or left something running that might.
    """

    exit_status: int
    stdout: str
    stderr: str
    truncated: bool


def run_program_tool(allow: Iterable[str], cwd: str) -> Tool:
    """``run_program`` for these programs, in that folder.

    A program is a name, looked up on PATH now and not again, or an absolute path; peers name it as it stands
    here. Raises InvalidOption for one that is not there.
    """
    programs = {name: _find(name) for name in allow}

    @tool(timeout=math.inf)  # it has a timeout of its own
    async def run_program(
        program: str,
        arguments: tuple[str, ...] = (),
        stdin: str | None = None,
        timeout: Annotated[float, Meta(gt=0, le=3600)] = 60.0,  # noqa: ASYNC109 - who calls is far away
        check: bool = False,
    ) -> ProgramEnd:
        """Run a program of this device's list, without a shell, and return its exit status and output.

        :param program: its name, as the list has it
        :param arguments: each as the program is to see it
        :param stdin: text for its standard input, which is empty without
        :param timeout: seconds, after which it is stopped, and the call fails
        :param check: whether an exit status other than 0 fails the call; what it wrote is told all the same
        """
        if program not in programs:
            raise ProgramNotAllowed(program, tuple(programs))
        try:
            with trio.fail_after(timeout):
                ended = await run_process(
                    [programs[program], *arguments],
                    cwd=cwd,
                    environment=_environment(os.environ),
                    stdin=None if stdin is None else stdin.encode(),
                    most_output=_MOST_OUTPUT,
                )
        except trio.TooSlowError as error:
            raise ToolTimeout("run_program", timeout) from error
        except OSError as error:
            raise ProgramNotStarted(program, error.strerror or type(error).__qualname__) from error
        except ValueError as error:  # a NUL in an argument
            raise ProgramNotStarted(program, str(error)) from error
        end = ProgramEnd(ended.exit_status, _text(ended.stdout), _text(ended.stderr), ended.truncated)
        if check and end.exit_status != 0:
            raise ToolFailed(f"{program} ended with exit status {end.exit_status}", end)
        return end

    return attrs.evolve(
        run_program, description=f"{run_program.description} The list: {', '.join(programs)}."
    )


def _find(name: str) -> str:
    if not os.path.isabs(name) and os.path.dirname(name):
        raise InvalidOption("allow", name, "is a relative path: give a name on PATH, or an absolute path")
    found = shutil.which(name)
    if found is None:
        raise InvalidOption(
            "allow", name, "is no program that can be run here: see PATH, and its permissions"
        )
    return os.path.abspath(found)


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    return {name: own[name] for name in _ENVIRONMENT if name in own}


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")
