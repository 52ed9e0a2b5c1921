"""The codes that connections end with (RFC 6455, section 7.4)."""

from aip_trio.errors import InvalidSpec

__all__ = [
    "ABNORMAL",
    "INTERNAL",
    "NO_CODE",
    "NO_UTF8",
    "POLICY",
    "PROTOCOL_ERROR",
    "TOO_BIG",
    "check_code",
    "may_be_sent",
]

PROTOCOL_ERROR = 1002
NO_CODE = 1005  #: stands for a close frame without a code
ABNORMAL = 1006  #: stands for no close frame
NO_UTF8 = 1007
POLICY = 1008
TOO_BIG = 1009
INTERNAL = 1011


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry it."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def check_code(code: int) -> None:
    """Raises InvalidSpec where a close frame may not carry it."""
    if not may_be_sent(code):
        raise InvalidSpec("code", code, "give 1000 to 1003, 1007 to 1014, or 3000 to 4999")
