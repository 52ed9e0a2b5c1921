"""Text for people."""

__all__ = ["plain_size", "printable"]

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


def printable(text: str) -> str:
    """The text on one line, with what a terminal might obey, or cannot show, as escapes.

    File names may hold any byte: line ends, escape sequences, what is no UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def plain_size(count: int) -> str:
    """A number of bytes, in decimal units with one digit after the point."""
    if count < 1000:
        return f"{count} B"
    size, units = count / 1000, list(_UNITS)
    while size >= 999.95 and len(units) > 1:  # 999.95 would be shown as 1000.0
        size /= 1000
        del units[0]
    return f"{size:.1f} {units[0]}"
