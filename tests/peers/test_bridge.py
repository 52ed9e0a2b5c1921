"""Services of auto-trainer-api as devices of a fleet: commands, pending ones, events, and a kill."""

from typing import Any

import pytest
import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceServerEndpoint
from aip_trio.rpc.bridge import RpcBridge
from tests.endpoints.support import quick, until
from tests.peers.programs import Peer, free_ports, service

#: Seconds for anything of the peer's, on a machine that is busy.
PATIENCE = 60.0

EVENT = {"kind": 2001, "when": 1_700_000_000.5, "index": 7, "context": {"some_key": "moved"}}


@pytest.mark.trio
async def test_a_fleet_has_it_do_things_and_hears_of_it_and_of_its_end(peer: Peer) -> None:
    events, commands = free_ports()
    bridge_options: dict[str, Any] = {
        "subscriber_port": events,
        "command_port": commands,
        "telemetry_interval": 0.05,
        "reconnection_strategy": quick(),
    }
    with trio.fail_after(PATIENCE), service(peer, (events, commands)) as theirs:
        async with open_system(), DeviceServerEndpoint(port=0) as server:
            bridge = RpcBridge(server.url, **bridge_options)
            async with bridge, ConstellationEndpoint("orch") as orch:
                name = await bridge.wait_joined()
                await orch.connect_to_device(AgentProfile(device_id=name, server_url=server.url))

                async def ask(tool: str, **parameters: object) -> dict[str, Any]:
                    listed = [{"tool_name": tool, "parameters": parameters}]
                    request = {"request": tool, "metadata": {"commands": listed}}
                    (result,) = (await orch.send_task_to_device(name, request)).result
                    return dict(result)

                assert (await ask("get_status", data={"a_key": 1}))["result"] == {"given": {"a_key": 1}}
                failed = await ask("emergency_resume")
                assert failed["error"].startswith("EMERGENCY_RESUME ended with FAILED, error_code=7: not")
                assert (await ask("emergency_stop"))["error"].startswith(
                    "EMERGENCY_STOP ended with EXCEPTION"
                )
                pending = await ask("send_command", command="USER_DEFINED", custom_command=5)
                assert pending["result"] == {"custom_command": 5}

                theirs.dialogue.publish(EVENT)
                recent = await ask("recent_events", kind=2001)
                while not recent["result"]:
                    recent = await ask("recent_events", kind=2001)
                assert recent["result"][0]["message"]["context"] == {"some_key": "moved"}
                assert (await orch.device_info(name))["rpc"]["published"]["EVENT"] == 1

                theirs.dialogue.process.kill()
                await until(lambda: server._hub.directory.device(name) is None)
                with service(peer, (events, commands)):
                    assert await bridge.wait_joined() == name
                    await until(lambda: orch.is_device_connected(name))
                    assert (await ask("get_status"))["status"] == "success"
