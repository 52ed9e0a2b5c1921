import pytest
from hypothesis import example, given, strategies as st

from aip_trio.cli._text import plain_size, printable


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_500_000_000, "1.5 GB"),
        (10**21, "1000.0 EB"),
    ],
)
def test_a_size_has_one_digit_after_the_point(count: int, text: str) -> None:
    assert plain_size(count) == text


@given(st.text(st.characters()))  # surrogates too
@example("\x1b[31mred\udcff\n")
def test_printable_text_is_one_line_that_any_utf8_terminal_shows(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    shown.encode("utf-8")


def test_printable_text_stays_as_it_is() -> None:
    assert printable("Größe 1 kB") == "Größe 1 kB"
