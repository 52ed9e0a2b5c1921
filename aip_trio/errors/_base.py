"""The root of the tree, and how its texts are composed."""

__all__ = ["AipError", "show", "told"]

_LONGEST_VALUE = 200


def show(value: object) -> str:
    """A value for an error's text: its repr in one line, and cut, because it may be a whole file."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a broken __repr__ must not hide the error being told
        text = f"<{type(value).__qualname__} whose repr raises {type(error).__qualname__}>"
    text = " ".join(text.splitlines())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def told(error: BaseException) -> str:
    """An exception in one line: its class, and its text where it has one."""
    name = type(error).__qualname__
    try:
        text = " ".join(str(error).splitlines())
    except Exception as broken:  # noqa: BLE001 - as above
        text = f"<its str raises {type(broken).__qualname__}>"
    return f"{name}: {text}" if text else name


class AipError(Exception):
    """Everything that aip_trio raises by itself."""
