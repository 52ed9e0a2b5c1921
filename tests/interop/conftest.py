"""The servers, which all these tests share: each test has clients of its own."""

from collections.abc import Generator
from contextlib import ExitStack

import pytest

from aip_trio.transport import ADAPTERS
from tests.interop.plain import Plain
from tests.interop.programs import Site, sites


@pytest.fixture(scope="session")
def every_site(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, Site]]:
    with sites(tmp_path_factory.mktemp("interop")) as found:
        yield found


@pytest.fixture(scope="session")
def every_silent(every_site: dict[str, Site]) -> Generator[dict[str, Plain]]:
    """Begun early: the time that the server gives them passes while the other tests run."""
    with ExitStack() as stack:
        yield {adapter: stack.enter_context(Plain.open(site.url)) for adapter, site in every_site.items()}


@pytest.fixture(scope="session", params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    """Each way to speak WebSocket in turn."""
    found: str = request.param
    return found


@pytest.fixture
def site(adapter: str, every_site: dict[str, Site], every_silent: dict[str, Plain]) -> Site:
    """The servers with this adapter."""
    return every_site[adapter]


@pytest.fixture
def silent(adapter: str, every_silent: dict[str, Plain]) -> Plain:
    """A connection to the real server that has not said a word."""
    return every_silent[adapter]
