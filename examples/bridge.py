"""A device that knows events and commands alone, as a device of a fleet.

All in one process here; each is as well a process of its own: `aip-trio rpc serve`, `aip-trio server`, and
`aip-trio rpc bridge` between them.

Prints::

    bench-1 is one of the fleet
    get_status: {'mode': 'idle'}
    start_acquisition: {'mode': 'acquiring'}
    calibrate: USER_DEFINED 7 ended with FAILED, error_code=3: not while it acquires
    get_status: {'mode': 'acquiring'}
    the fleet knows that bench-1 is present, and acquiring
"""

import trio

from aip_trio import open_system
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceServerEndpoint
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiOptions,
    RpcOptions,
    create_api_service,
)
from aip_trio.rpc.bridge import COMMANDS, BridgeCommand, RpcBridge


class Bench:
    """The device: it knows no fleet."""

    mode = "idle"

    async def answer(self, request: ApiCommandRequest) -> ApiCommandRequestResponse:
        await trio.sleep(0.01)  # the device takes its time
        if request.command is ApiCommand.USER_DEFINED:
            return ApiCommandRequestResponse(
                ApiCommandRequestResult.FAILED, error_code=3, error_message="not while it acquires"
            )
        if request.command is ApiCommand.START_ACQUISITION:
            self.mode = "acquiring"
        return ApiCommandRequestResponse(ApiCommandRequestResult.SUCCESS, {"mode": self.mode})


async def main() -> None:
    options = RpcOptions(identifier="bench-1", heartbeat_interval=0.1, subscriber_port=0, command_port=0)
    service = create_api_service(ApiOptions(rpc=options))
    assert service is not None
    service.command_request_delegate = Bench().answer
    async with open_system(), DeviceServerEndpoint(port=0) as server, service:
        bridge = RpcBridge(
            server.url,
            subscriber_port=service.subscriber_port,
            command_port=service.command_port,
            commands={**COMMANDS, "calibrate": BridgeCommand(ApiCommand.USER_DEFINED, 7)},
        )
        async with bridge, ConstellationEndpoint("survey") as orchestrator:
            name = await bridge.wait_joined()
            print(f"{name} is one of the fleet")
            await orchestrator.connect_to_device(AgentProfile(device_id=name, server_url=server.url))

            for tool in ("get_status", "start_acquisition", "calibrate", "get_status"):
                metadata = {"commands": [{"tool_name": tool}]}
                end = await orchestrator.send_task_to_device(name, {"request": tool, "metadata": metadata})
                (result,) = end.result
                print(f"{tool}: {result['error'] or result['result']}")

            known = (await orchestrator.device_info(name))["rpc"]
            print(f"the fleet knows that {name} is {known['presence']}, and {known['status']['mode']}")


if __name__ == "__main__":
    trio.run(main)
