"""Adapters that whole modules of tests are run with."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from aip_trio.transport import ADAPTERS, AdapterName, WebSocketTransport, serve_websocket


def _with_adapter(name: AdapterName) -> Generator[AdapterName]:
    """Make it the default one, on both sides."""
    with pytest.MonkeyPatch.context() as patch:
        for function in (WebSocketTransport.__init__, serve_websocket):
            defaults = function.__kwdefaults__
            assert defaults is not None
            patch.setitem(defaults, "adapter", name)
        yield name


@pytest.fixture(scope="module", params=ADAPTERS)
def each_adapter(request: pytest.FixtureRequest) -> Generator[AdapterName]:
    """For what has to hold with every one of them."""
    yield from _with_adapter(request.param)


@pytest.fixture(scope="module", params=["native", "websockets"])
def each_codec(request: pytest.FixtureRequest) -> Generator[AdapterName]:
    """For what has to hold with those whose connections are ours."""
    yield from _with_adapter(request.param)
