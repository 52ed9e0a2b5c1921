"""Whether both ways have come to the same: a pure decision."""

import attrs

from aip_trio.cli.demo._inventory import Entry, Inventory, Summary, summarize
from aip_trio.cli.demo._plain import Glance, Look, total

__all__ = ["Comparison", "Difference", "compare"]

#: Nanoseconds that the clocks of a file system and of the system may be apart.
_CLOCKS = 2_000_000_000


@attrs.frozen
class Difference:
    """A file, or a directory, of which the two ways say different things."""

    path: str
    actors: str
    plain: str


@attrs.frozen
class Comparison:
    """The verdict. ``changed`` are the paths that changed meanwhile; the summaries are without them."""

    actors: Summary
    plain: Summary
    changed: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether both ways say the same of all that did not change."""
        return not self.differences and self.actors == self.plain


def compare(actors: Inventory, plain: Look, *, before: Glance, began: int) -> Comparison:
    """Compare what the actors found with what plain code found afterwards.

    Both must say the same of every file that plain code saw before the actors began, and saw again
    afterwards with the same size and times: such a file was there all the time, and did not change. Anything
    else changed meanwhile, but for a file that only the actors know: if its own times are older than
    ``began`` (in nanoseconds since 1970), nobody can have made it meanwhile, and it is a difference.
    """
    changed: list[str] = []
    differences: list[Difference] = []
    known = actors.entries.keys() | actors.unreadable.keys() | before.stamps.keys() | before.unlisted.keys()
    for path in sorted(known | plain.glance.stamps.keys() | plain.glance.unlisted.keys()):
        if not (_settled(path, before, plain.glance) or _invented(path, actors, before, plain, began)):
            changed.append(path)
        elif (ours := _said(path, actors)) != (theirs := _said(path, plain.inventory)):
            differences.append(Difference(path, ours, theirs))
    without = frozenset(changed)
    return Comparison(
        summarize(actors.without(without)),
        total(plain.inventory, without),
        tuple(changed),
        tuple(differences),
    )


def _settled(path: str, before: Glance, after: Glance) -> bool:
    """Whether it was the same before and after."""
    stamp = before.stamps.get(path)
    if stamp is not None:
        return after.stamps.get(path) == stamp
    error = before.unlisted.get(path)
    return error is not None and after.unlisted.get(path) == error


def _invented(path: str, actors: Inventory, before: Glance, plain: Look, began: int) -> bool:
    """Whether only the actors know it, and it is too old to have come and gone meanwhile."""
    entry = actors.entries.get(path)
    if entry is None or path in before.stamps or path in plain.glance.stamps:
        return False
    return max(entry.stamp.changed, entry.stamp.modified) < began - _CLOCKS


def _said(path: str, inventory: Inventory) -> str:
    """What an inventory says of a path, for comparison and for people."""
    entry: Entry | None = inventory.entries.get(path)
    if entry is not None:
        return f"{entry.stamp.size} bytes, {entry.digest}"
    reason = inventory.unreadable.get(path)
    return "not there" if reason is None else f"unreadable: {reason}"
