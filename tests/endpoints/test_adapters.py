"""A fleet over each of the adapters."""

from __future__ import annotations

from typing import cast

import pytest

from aip_trio.actors import open_system
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceClientEndpoint, DeviceServerEndpoint
from aip_trio.endpoints.tools import ToolClient, ToolRegistry
from aip_trio.errors import InvalidSpec
from aip_trio.transport import ADAPTERS, AdapterName


async def add(a: int, b: int) -> int:
    """Their sum."""
    return a + b


@pytest.mark.trio
@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_a_task_goes_to_a_device_and_comes_back(adapter: AdapterName) -> None:
    async with open_system():
        server = DeviceServerEndpoint(port=0, token="secret", adapter=adapter)
        await server.start()
        tools = ToolRegistry()
        tools.add(add)
        device = DeviceClientEndpoint(server.url, ToolClient("dev", tools), token="secret", adapter=adapter)
        await device.start()
        orchestrator = ConstellationEndpoint("lab", token="secret", adapter=adapter)
        await orchestrator.start()
        await orchestrator.connect_to_device(AgentProfile(device_id="dev", server_url=server.url))
        command = {"tool_name": "add", "parameters": {"a": 2, "b": 3}}
        done = await orchestrator.send_task_to_device(
            "dev", {"request": "add", "metadata": {"commands": [command]}}
        )
        assert done.completed, done.error
        assert "5" in str(done.result)
        await orchestrator.stop()
        await device.stop()
        await server.stop()


def test_a_name_that_is_none_is_refused_where_it_is_given() -> None:
    name = cast("AdapterName", "asyncio")
    client = ToolClient("dev", ToolRegistry())
    for make in (
        lambda: DeviceServerEndpoint(adapter=name),
        lambda: DeviceClientEndpoint("ws://x/", client, adapter=name),
        lambda: ConstellationEndpoint("lab", adapter=name),
    ):
        with pytest.raises(InvalidSpec, match="native, websockets, trio-websocket"):
            make()
