from __future__ import annotations

from pathlib import Path

from aip_trio.transport.zeromq import Kind, WhenFull

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "zeromq-sockets.md"


def test_every_kind_that_sends_says_what_it_does_where_there_is_no_room() -> None:
    for kind in Kind:
        assert kind.sends == (kind.when_full is not WhenFull.NEVER_SENDS)
        assert kind.sends or kind.receives


def test_the_table_of_the_page_is_that_of_the_code() -> None:
    told = {True: "yes", False: "no"}
    table = [
        f"| `{kind.name}` | {told[kind.sends]} | {told[kind.receives]} | {kind.when_full.value} |"
        for kind in Kind
    ]
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == table
