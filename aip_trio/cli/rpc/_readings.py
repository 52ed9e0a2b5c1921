"""What a device has read of itself, and how it changes."""

from collections.abc import Iterator, Mapping

__all__ = ["READER", "changes"]

#: The object that the readings are properties of, as a number: peers have one for each of theirs.
READER = 1


def changes(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """A PROPERTY_CHANGE for each value that is another one; its fields are auto-trainer-api's.

    A property that ``old`` lacks has changed from null.
    """
    for name, value in new.items():
        before = old.get(name)
        if value != before:
            yield {"target": READER, "name": name, "new_value": value, "old_value": before}
