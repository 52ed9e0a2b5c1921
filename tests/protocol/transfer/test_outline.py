import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import InconsistentTransfer
from aip_trio.messages import FileTransferStart
from aip_trio.protocol.transfer import Outline

sizes = st.integers(0, 10_000)
chunk_sizes = st.integers(1, 3_000)


@given(sizes, chunk_sizes)
def test_the_chunks_are_the_file_without_gap_or_overlap(size: int, chunk_size: int) -> None:
    outline = Outline("a", size, chunk_size)
    chunks = [outline.chunk(number) for number in range(outline.total_chunks)]
    place = 0
    for number, chunk in enumerate(chunks):
        assert (chunk.number, chunk.offset) == (number, place)
        assert 1 <= chunk.size <= chunk_size
        place += chunk.size
        assert outline.done(number + 1) == place
    assert place == size
    assert all(chunk.size == chunk_size for chunk in chunks[:-1])


@given(sizes, chunk_sizes, st.integers(0, 10_001))
def test_a_number_of_chunks_that_does_not_fit_is_refused(size: int, chunk_size: int, total: int) -> None:
    right = Outline("a", size, chunk_size).total_chunks
    start = FileTransferStart(filename="a", size=size, chunk_size=chunk_size, total_chunks=total)
    if total == right:
        assert Outline.read(start) == Outline("a", size, chunk_size)
    else:
        with pytest.raises(InconsistentTransfer, match=f"{right} chunks, not total_chunks={total}"):
            Outline.read(start)


def test_the_largest_numbers_cost_nothing() -> None:
    outline = Outline("a", 2**62, 1)
    assert outline.chunk(outline.total_chunks - 1).offset == 2**62 - 1
