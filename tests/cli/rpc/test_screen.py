import io

from hypothesis import given, strategies as st

from aip_trio.cli._output import Output
from aip_trio.cli._settings import Settings
from aip_trio.cli.rpc._screen import Screen, ScreenStream, above
from tests.cli.rpc.terminal import Terminal

WORDS = st.text("abc xyz", min_size=1, max_size=30).map(str.strip).filter(bool)


@given(
    height=st.integers(2, 6),
    before=st.lists(WORDS, max_size=8),
    typed=WORDS,
    back=st.integers(0, 10),
    lines=st.lists(WORDS, max_size=8),
)
def test_lines_appear_above_what_is_being_typed_wherever_the_cursor_is(
    height: int, before: list[str], typed: str, back: int, lines: list[str]
) -> None:
    terminal = Terminal(height)
    terminal.write("".join(f"{line}\n" for line in before))
    terminal.write(f"rpc> {typed}")
    terminal.column -= min(back, terminal.column)
    column = terminal.column
    terminal.write(above(lines, 80))
    assert terminal.everything == [*before, *lines, f"rpc> {typed}"]
    assert terminal.rows[terminal.row] == f"rpc> {typed}"
    assert terminal.column == column


def test_a_line_that_is_too_wide_takes_several_rows() -> None:
    terminal = Terminal(9)
    terminal.write("rpc> ")
    terminal.write(above(["abcdefgh", "", "日本語"], 5))
    assert terminal.rows[:6] == ["abcde", "fgh", "", "日本", "語", "rpc> "]


def test_without_an_editor_lines_are_lines() -> None:
    stream = io.StringIO()
    screen = Screen(Output(Settings(), stream))
    screen.show({}, ["one", "two"])
    assert stream.getvalue() == "one\ntwo\n"
    screen.editing = True
    screen.show({}, ["three"])
    assert stream.getvalue().endswith("\r\x1b[Lthree\x1b8\x1b[B")


def test_a_stream_is_shown_line_by_line() -> None:
    shown = io.StringIO()
    stream = ScreenStream(Screen(Output(Settings(), shown)))
    stream.write("one\ntwo")
    assert shown.getvalue() == "one\n"
    stream.write(" and\x1b more\n")
    assert shown.getvalue() == "one\ntwo and\\x1b more\n"
