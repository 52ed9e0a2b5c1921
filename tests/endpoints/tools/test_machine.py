import os
import platform
import sys

import pytest

from aip_trio.endpoints.tools import builtin_tools
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.endpoints.tools.support import fail, succeed


@pytest.mark.trio
async def test_the_machine_tells_what_it_is() -> None:
    info = await succeed(builtin_tools(), "system_info")
    assert info["hostname"] == platform.node()
    assert info["os"] == platform.system()
    assert info["os_version"] == platform.release()
    assert info["architecture"] == platform.machine()
    assert info["cpu_count"] == os.cpu_count()
    assert info["memory"] > 1024 * 1024


@pytest.mark.trio
async def test_a_machine_need_not_tell_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sysconf")
    assert (await succeed(builtin_tools(), "system_info"))["memory"] is None


@pytest.mark.trio
async def test_the_machine_tells_how_busy_it_is() -> None:
    pytest.importorskip("psutil")
    load = await succeed(builtin_tools(), "live_load")
    assert 0 <= load["cpu_percent"] <= 100
    assert 0 < load["memory_percent"] < 100
    assert 0 <= load["swap_percent"] <= 100
    assert 0 < load["memory_available"] < load["memory_total"]
    assert len(load["load_average"]) == 3
    assert load["processes"] >= 1


@pytest.mark.trio
async def test_without_psutil_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert await fail(builtin_tools(), "live_load") == (
        "tool 'live_load' is not available: the device lacks psutil: install it with"
        " pip install 'aip-trio[cli]'"
    )


def test_asking_can_be_cancelled() -> None:
    for name in ("system_info", "live_load"):
        tool = builtin_tools()[name]

        async def scenario(point: CancelPoint) -> None:
            with point:
                await tool.call()  # noqa: B023 - called before the next round

        assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1
