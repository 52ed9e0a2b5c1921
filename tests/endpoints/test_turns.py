"""The turns of a task: what its function sees of them, and which results belong to which."""

from typing import Any

import trio

from aip_trio.endpoints import Session
from aip_trio.messages import Result
from tests.endpoints.memory import fleet, memory_peer, virtual
from tests.endpoints.support import action


async def look(session: Session) -> Any:
    (result,) = await session.execute(action("look"))
    return result.result


@virtual
async def test_a_task_function_sees_its_turns() -> None:
    seen: list[list[tuple[int, str, list[Any] | None]]] = []

    def turns(session: Session) -> list[tuple[int, str, list[Any] | None]]:
        def plain(results: tuple[Result, ...] | None) -> list[Any] | None:
            return None if results is None else [result.result for result in results]

        return [(turn.number, turn.commands[0].tool_name, plain(turn.results)) for turn in session.turns]

    async def curious(session: Session) -> None:
        seen.append(turns(session))
        for tool in ("look", "touch"):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.execute, action(tool))
                await trio.sleep(1)
                seen.append(turns(session))
            seen.append(turns(session))

    async with fleet(task=curious) as (_, _, network):
        device, orch = [await memory_peer(network) for _ in range(2)]
        await device.register("dev-1")
        await orch.register("orch", "constellation", target_id="dev-1")
        await orch.ask("s", "dev-1")
        for value in (1, 2):
            await trio.sleep(10)
            await device.answer(await device.command(), value)
        assert (await orch.end("s"))["status"] == "completed"
    look, touch = (1, "look", [1]), (2, "touch", [2])
    assert seen == [[], [(1, "look", None)], [look], [look, (2, "touch", None)], [look, touch]]


@virtual
async def test_results_of_another_turn_are_refused_with_the_one_that_was_expected() -> None:
    async with fleet(task=look) as (_, _, network):
        device, orch = [await memory_peer(network) for _ in range(2)]
        await device.register("dev-1")
        await orch.register("orch", "constellation", target_id="dev-1")
        await orch.ask("s", "dev-1")
        command = await device.command()
        await device.answer(command, "wrong", prev_response_id="another")
        refusal = await device.refused()
        assert "'another'" in refusal
        assert repr(command["response_id"]) in refusal
        await device.answer(command, "right")
        assert (await orch.end("s"))["result"] == "right"
