"""Message processors of an orchestrator: several, each by itself."""

import trio

from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, Session
from aip_trio.messages import ServerMessage
from tests.endpoints.memory import fleet, memory_peer, virtual
from tests.endpoints.support import action


async def look(session: Session) -> None:
    await session.execute(action("look"))


class Processor:
    """Remembers what it sees, and may fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.seen: list[str] = []
        self.fails = fails

    async def process_message(self, msg: ServerMessage) -> None:
        await trio.lowlevel.checkpoint()
        self.seen.append(str(msg.type))
        if self.fails:
            raise RuntimeError("planted")


@virtual
async def test_several_message_processors_see_every_message_whatever_one_of_them_raises() -> None:
    processors = [Processor(fails=True), Processor()]
    async with fleet(task=look) as (_, _, network):
        device = await memory_peer(network)
        await device.register("dev-1")
        orch = ConstellationEndpoint("orch", processors, make_transport=network.transport)
        await orch.start()
        await orch.connect_to_device(AgentProfile(device_id="dev-1", server_url="memory://server"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(orch.send_task_to_device, "dev-1", {"request": "x"})
            await device.answer(await device.command(), "seen")
        await orch.stop()
    for processor in processors:
        assert processor.seen == ["task_end"]
