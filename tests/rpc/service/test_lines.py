"""Answers leave in the order of their requests."""

from hypothesis import given, strategies as st

from aip_trio.rpc.service._lines import Lines

CLIENTS = "abc"


def test_an_answer_waits_for_those_before_it() -> None:
    lines: Lines[str, bytes] = Lines()
    assert [lines.stand("a", number) for number in (1, 2, 3)] == [1, 2, 3]
    assert lines.answer("a", 2, b"two") == []
    assert lines.first("a") == 1
    assert lines.answer("a", 1, b"one") == [b"one", b"two"]
    assert lines.first("a") == 3
    assert "a" in lines
    assert lines.answer("a", 3, b"three") == [b"three"]
    assert "a" not in lines
    assert len(lines) == 0


def test_no_client_waits_for_another() -> None:
    lines: Lines[str, bytes] = Lines()
    lines.stand("a", 1)
    lines.stand("b", 2)
    assert lines.answer("b", 2, b"two") == [b"two"]
    assert len(lines) == 1


def test_an_empty_answer_is_one() -> None:
    lines: Lines[str, bytes] = Lines()
    lines.stand("a", 1)
    assert lines.answer("a", 1, b"") == [b""]


@given(st.lists(st.sampled_from(CLIENTS), max_size=12), st.data())
def test_any_order_of_ends_gives_each_client_all_its_answers_in_order(
    requests: list[str], data: st.DataObject
) -> None:
    lines: Lines[str, int] = Lines()
    for number, client in enumerate(requests):
        lines.stand(client, number)
    got: dict[str, list[int]] = {client: [] for client in CLIENTS}
    open_numbers = set(range(len(requests)))
    for number in data.draw(st.permutations(range(len(requests)))):
        client = requests[number]
        due = lines.answer(client, number, number)
        got[client] += due
        open_numbers.discard(number)
        # Whatever could go has gone: the next of this client is one without an answer.
        left = [each for each in range(len(requests)) if requests[each] == client and each not in got[client]]
        assert not left or left[0] in open_numbers
    for client in CLIENTS:
        assert got[client] == [number for number, each in enumerate(requests) if each == client]
    assert len(lines) == 0
