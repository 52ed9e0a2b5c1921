"""What the actors of the inventory tell and ask each other."""

import attrs

from aip_trio.actors import ActorRef, Request
from aip_trio.cli.demo._inventory import Findings, Inventory

__all__ = ["Batch", "Everything", "Finished", "Hash", "NextBatch", "Record", "Rewind", "Tally"]


@attrs.frozen
class Batch:
    """Files to be looked at together, and directories that could not be listed."""

    id: str
    paths: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]


@attrs.frozen
class Rewind(Request[None]):
    """To the walker: begin anew."""


@attrs.frozen
class NextBatch(Request[Batch | None]):
    """To the walker: more files for this worker, which has done the batch ``done``; None: no more."""

    worker: ActorRef
    done: str | None


@attrs.frozen
class Hash(Request[Findings]):
    """To a worker: read these files."""

    paths: tuple[str, ...]


@attrs.frozen
class Tally:
    """How much the collector has recorded."""

    files: int
    bytes: int


@attrs.frozen
class Record(Request[Tally]):
    """To the collector: keep this. Its answer is the promise that no crash of an actor loses it."""

    findings: Findings


@attrs.frozen
class Everything(Request[Inventory]):
    """To the collector: all that was recorded."""


@attrs.frozen
class Finished(Request[None]):
    """To the dispatcher: answer when every file has been recorded."""
