"""The peers. Where there are none, the tests here are skipped; the session ``peers`` has them."""

import os

import pytest

from tests.peers.programs import VARIABLE, VERSIONS, Peer


@pytest.fixture(scope="session", params=VERSIONS)
def peer(request: pytest.FixtureRequest) -> Peer:
    """Each version in turn."""
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} names no environments of auto-trainer-api: run `nox -s peers`")
    version: str = request.param
    return Peer.found(version)
