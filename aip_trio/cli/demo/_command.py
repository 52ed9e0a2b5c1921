"""The command ``demo``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from aip_trio.actors import RealEnvironment
from aip_trio.cli._shell import Shell
from aip_trio.errors import InvalidOption

__all__ = ["check_root", "demo"]

Root = Annotated[
    Path,
    typer.Option(
        metavar="DIR", help="The directory to take the inventory of; hidden folders in it are left out."
    ),
]
Seed = Annotated[int | None, typer.Option(help="Decides who is killed, and when; by chance if absent.")]

_SEEDS = 2**32


def demo(shell: Shell, root: Root = Path("."), seed: Seed = None) -> int:
    """Run a fleet: a server and three devices, each a process, take the inventory of a directory.

    They do so three times: in peace; while a device is killed; while the server is. Each time the result is
    compared with one by plain code. Exit status 0: every task has its one outcome, and all results are
    equal. 1: not so.
    """
    directory = check_root(root)
    from aip_trio.cli.demo._demo import Demo
    from aip_trio.cli.demo._process import Processes
    from aip_trio.cli.demo._program import ProgramEnded
    from aip_trio.errors import PeerError, TransportError

    if seed is None:
        seed = RealEnvironment().random.randrange(_SEEDS)
    shell.log.expect(ProgramEnded, TransportError, PeerError)
    with Processes() as processes:
        report = shell.run(
            lambda system: Demo(directory, seed, system, processes, shell.output).perform(),
            environment=RealEnvironment(seed),
            intensity=0,  # a fleet that gives up is never started again: why it did is the answer
            cancel_grace=10.0,
        )
    shell.output.result(report.data(), report.picture, report.lines())
    return 0 if report.good else 1


def check_root(root: Path) -> str:
    """The directory's real path. Raises InvalidOption where it is none, or cannot be listed."""
    try:
        with os.scandir(root):
            return os.path.realpath(root)
    except FileNotFoundError:
        reason = "does not exist: give a directory that does"
    except NotADirectoryError:
        reason = "is no directory: give one, such as the one that it is in"
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        reason = f"cannot be read ({told}): give a directory that you may list"
    raise InvalidOption("root", root, reason)
