"""Lines of the log that would be very many."""

from aip_trio.rpc.service._seldom import Seldom


def test_one_line_in_ten_seconds_and_a_count_of_the_others() -> None:
    seldom = Seldom(10)
    assert [seldom.allows(now) for now in (0, 1, 9.9, 10, 11)] == [True, False, False, True, False]


def test_those_held_back_are_counted_once() -> None:
    seldom = Seldom(10)
    for now in (0, 1, 2):
        seldom.allows(now)
    assert "2 times" in seldom.others()
    assert seldom.others() == ""
