"""What tests of the demo share."""

from collections.abc import Callable

import psutil
import pytest


@pytest.fixture
def born() -> Callable[[], list[psutil.Process]]:
    """The children of this process that the test has started; servers for other tests may be there, too."""
    before = set(psutil.Process().children())
    return lambda: [child for child in psutil.Process().children() if child not in before]
