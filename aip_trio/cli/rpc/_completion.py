"""What Tab offers in the console: commands, and the keys of data seen before."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import cast

__all__ = ["DELIMITERS", "Completion"]

#: What stands between words, JSON's signs among them: a key is completed within its quotes.
DELIMITERS = " \t\n{}[]:,\"'"

#: Keys that are remembered; services name theirs, and could name ever new ones.
_MOST = 500

_AT_KEY = re.compile(r"[{,]\s*\"?$")


class Completion:
    """Knows the names, and learns the keys. Pure: what a line editor asks it, it answers.

    It is asked in the line editor's thread while another learns: each change is one atomic step.
    """

    def __init__(self, names: Iterable[str], keys: Iterable[str] = ()) -> None:
        self._names = sorted(names)
        self._keys = dict.fromkeys(keys)

    def learn(self, value: object) -> None:
        """Remember the keys of a value of JSON, however deep; no more than a few hundred."""
        pending = [value]
        while pending and len(self._keys) < _MOST:
            found = pending.pop()
            if isinstance(found, Mapping):
                inner = cast("Mapping[str, object]", found)
                room = _MOST - len(self._keys)
                self._keys.update(dict.fromkeys(islice(filter(_is_word, inner), room)))
                pending.extend(inner.values())
            elif isinstance(found, list):
                pending.extend(cast("list[object]", found))

    def candidates(self, before: str, text: str) -> Sequence[str]:
        """What a word that begins with ``text`` may become, with ``before`` in front of it on its line."""
        if not before.strip():
            wanted = text.upper().replace("-", "_")
            names = [name for name in self._names if name.upper().startswith(wanted)]
            names = names or [name for name in self._names if f"_{wanted}" in name]
            return [f"{name} " for name in names]
        if not _AT_KEY.search(before):
            return []
        keys = sorted(key for key in self._keys if key.startswith(text))
        # Within quotes, the line editor closes them.
        return keys if before.endswith('"') else [f'"{key}": ' for key in keys]


def _is_word(key: object) -> bool:
    """Whether a line editor can offer it: one word, of what can be typed."""
    return (
        isinstance(key, str)
        and key.isprintable()
        and 0 < len(key) <= 64
        and not set(key) & set(f"{DELIMITERS}\\")
    )
