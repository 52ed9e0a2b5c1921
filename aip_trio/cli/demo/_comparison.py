"""Whether both ways have come to the same: a pure decision."""

import os

import attrs

from aip_trio.cli.demo._inventory import Inventory, Summary, summarize
from aip_trio.cli.demo._plain import Glance, Look, total

__all__ = ["Comparison", "Difference", "compare"]


@attrs.frozen
class Difference:
    """A file, or a folder, of which the two ways say different things."""

    path: str
    fleet: str
    plain: str


@attrs.frozen
class Comparison:
    """The verdict. ``changed`` are the paths that changed meanwhile; the summaries are without them."""

    fleet: Summary
    plain: Summary
    changed: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether both ways say the same of all that did not change."""
        return not self.differences and self.fleet == self.plain


def compare(fleet: Inventory, plain: Look, *, before: Glance) -> Comparison:
    """Compare what the fleet found with what plain code found afterwards.

    Both must say the same of every file that plain code saw before the fleet began, and saw again
    afterwards with the same size and times: such a file was there all the time, and did not change. Anything
    else changed meanwhile, but for what only the fleet knows, in a folder that is the same as before: no
    name can have come to such a folder and gone again, so it is a difference.
    """
    after = plain.glance
    changed: list[str] = []
    differences: list[Difference] = []
    known = fleet.entries.keys() | fleet.unreadable.keys() | before.stamps.keys() | before.unreadable.keys()
    for path in sorted(known | after.stamps.keys() | after.unreadable.keys()):
        if not (_settled(path, before, after) or _invented(path, before, after)):
            changed.append(path)
        elif (ours := _said(path, fleet)) != (theirs := _said(path, plain.inventory)):
            differences.append(Difference(path, ours, theirs))
    without = frozenset(changed)
    return Comparison(
        summarize(fleet.without(without)),
        total(plain.inventory, without),
        tuple(changed),
        tuple(differences),
    )


def _settled(path: str, before: Glance, after: Glance) -> bool:
    """Whether it was the same before and after."""
    stamp = before.stamps.get(path)
    if stamp is not None:
        return after.stamps.get(path) == stamp
    error = before.unreadable.get(path)
    return error is not None and after.unreadable.get(path) == error


def _invented(path: str, before: Glance, after: Glance) -> bool:
    """Whether plain code never saw it in a folder where nothing came or went."""
    if any(path in known for look in (before, after) for known in (look.stamps, look.unreadable)):
        return False
    folder = before.folders.get(os.path.dirname(path))
    return folder is not None and after.folders.get(os.path.dirname(path)) == folder


def _said(path: str, inventory: Inventory) -> str:
    """What an inventory says of a path, for comparison and for people.

    Why a file cannot be read each way has words of its own for.
    """
    entry = inventory.entries.get(path)
    if entry is not None:
        return f"{entry.size} bytes, {entry.digest or 'not hashed'}"
    return "unreadable" if path in inventory.unreadable else "not there"
