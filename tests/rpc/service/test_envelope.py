"""Ways back to clients."""

import pytest
from hypothesis import given, strategies as st

from aip_trio.rpc.service._envelope import opened


@pytest.mark.parametrize(
    ("frames", "envelope", "body"),
    [
        pytest.param([b"id", b"", b"{}"], (b"id", b""), b"{}", id="REQ"),
        pytest.param([b"id", b"{}"], (b"id",), b"{}", id="DEALER"),
        pytest.param([b"id", b"", b""], (b"id", b""), b"", id="REQ-empty"),
        pytest.param([b"id", b"far", b"", b"{}"], (b"id", b"far", b""), b"{}", id="REQ-behind-a-proxy"),
        pytest.param([b"id", b"far", b"{}"], (b"id", b"far"), b"{}", id="DEALER-behind-a-proxy"),
        pytest.param([b"id", b"", b"{", b"}"], (b"id", b""), None, id="REQ-of-two-frames"),
        pytest.param([b"id", b""], (b"id", b""), None, id="no-request"),
        pytest.param([b"id"], (b"id",), None, id="nothing"),
    ],
)
def test_an_envelope(frames: list[bytes], envelope: tuple[bytes, ...], body: bytes | None) -> None:
    assert opened(frames) == (envelope, body)


@given(st.lists(st.sampled_from([b"id", b"", b"{}"]), min_size=1).filter(lambda frames: frames[0]))
def test_whatever_comes_there_is_a_way_back_to_who_sent_it(frames: list[bytes]) -> None:
    envelope, body = opened(frames)
    assert envelope == tuple(frames[: len(envelope)])
    assert envelope
    assert b"" not in envelope[:-1]
    if body is not None:
        assert [*envelope, body] == frames
