"""A server that counts what passes, limits each client, and tells an extension who comes and goes.

Prints::

    + bench-1
    bench-1 sent too much: 13 of 20 messages were refused
    received: {'register': 1, 'device_info_response': 20, 'heartbeat': 1}
    sent: {'heartbeat': 2, 'error': 13}
    errors: {'RateLimited': 13}
    - bench-1
"""

import trio

from aip_trio import open_system
from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.extensions import AIPExtension
from aip_trio.messages import ServerMessageType
from aip_trio.protocol import (
    DeviceInfoProtocol,
    HeartbeatProtocol,
    MetricsMiddleware,
    RateLimitMiddleware,
    RegistrationProtocol,
)
from aip_trio.transport import WebSocketTransport


class Doorkeeper(AIPExtension):
    """Says who comes and goes."""

    async def on_connection_established(self, endpoint_id: str) -> None:
        print(f"+ {endpoint_id}")

    async def on_connection_closed(self, endpoint_id: str) -> None:
        print(f"- {endpoint_id}")


async def talk(url: str) -> None:
    """A client that says more than it may: 8 messages at once, and one each minute."""
    async with WebSocketTransport() as transport:
        await transport.connect(url)
        await RegistrationProtocol(transport).register_as_device("bench-1")
        device = DeviceInfoProtocol(transport)
        for number in range(20):
            await device.send_device_info_push("bench-1", {"number": number})
        await HeartbeatProtocol(transport).send_heartbeat("bench-1")  # passes at any rate
        refused = 0
        while (await device.receive_message()).type is ServerMessageType.ERROR:
            refused += 1
        print(f"bench-1 sent too much: {refused} of 20 messages were refused")


async def main() -> None:
    metrics = MetricsMiddleware()  # one for all connections
    async with open_system():
        server = DeviceServerEndpoint(
            port=0,
            middleware=[metrics, lambda: RateLimitMiddleware(1 / 60, burst=8)],  # a limit for each
            extensions=[Doorkeeper()],
        )
        await server.start()
        await talk(server.url)
        counts = metrics.snapshot()
        print(f"received: {counts.received}")
        print(f"sent: {counts.sent}")
        print(f"errors: {counts.errors}")
        await server.stop()


if __name__ == "__main__":
    trio.run(main)
