import pytest

from aip_trio.transport._url import WebSocketUrl


@pytest.mark.parametrize(
    ("url", "secure", "host", "port", "target", "host_header"),
    [
        ("ws://example.org", False, "example.org", 80, "/", "example.org"),
        ("WS://Example.org:80/", False, "example.org", 80, "/", "example.org"),
        ("wss://example.org", True, "example.org", 443, "/", "example.org"),
        ("wss://example.org:80/a?b=c&d", True, "example.org", 80, "/a?b=c&d", "example.org:80"),
        ("ws://127.0.0.1:8765/ws", False, "127.0.0.1", 8765, "/ws", "127.0.0.1:8765"),
        ("ws://[::1]:8765/ws", False, "::1", 8765, "/ws", "[::1]:8765"),
        ("ws://[::1]", False, "::1", 80, "/", "[::1]"),
        ("ws://x?y", False, "x", 80, "/?y", "x"),
        ("ws://x:0/", False, "x", 0, "/", "x:0"),
    ],
)
def test_a_url_is_taken_apart(
    url: str, secure: bool, host: str, port: int, target: str, host_header: str
) -> None:
    parsed = WebSocketUrl.parse(url)
    assert (parsed.secure, parsed.host, parsed.port, parsed.target) == (secure, host, port, target)
    assert parsed.host_header == host_header
    assert parsed.text == url
