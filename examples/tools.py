"""A device's tools: one of its own beside those that come with aip_trio, its schema, and calls of it.

Prints::

    tools: system_info, live_load, count_words
    Count the words of a text.
    text: {'description': 'what to count in', 'type': 'string'}
    least: {'description': 'letters that a word has at least', 'type': 'integer', 'minimum': 1, 'default': 1}
    call: {'longest': 'devices', 'words': 3}
    success: {'longest': 'agents', 'words': 1}
    failure: tool 'count_words' cannot take these parameters: Expected `int`, got `str` @ $.least; is…
    failure: no tool 'count_lines': there are system_info, live_load, count_words
    failure: there is no word of 9 letters
"""

from typing import Annotated, Any

import attrs
import trio
from msgspec import Meta

from aip_trio.endpoints.tools import ToolClient, builtin_tools, tool
from aip_trio.errors import ToolFailed
from aip_trio.messages import Command, RunCommands, ToolType


@attrs.frozen
class WordCount:
    longest: str
    words: int


@tool(tool_type=ToolType.DATA_COLLECTION)
async def count_words(text: str, least: Annotated[int, Meta(ge=1)] = 1) -> WordCount:
    """Count the words of a text.

    :param text: what to count in
    :param least: letters that a word has at least
    """
    words = [word for word in text.split() if len(word) >= least]
    if not words:
        raise ToolFailed(f"there is no word of {least} letters")  # any other error would be logged as a bug
    return WordCount(max(words, key=len), len(words))


def command(name: str, **parameters: Any) -> Command:
    return Command(tool_name=name, parameters=parameters, tool_type=ToolType.DATA_COLLECTION)


async def main() -> None:
    registry = builtin_tools()  # root= and allow= add those for files and programs
    registry.add(count_words)
    described = registry.describe()
    print("tools:", ", ".join(each.tool_name for each in described))

    schema = described[-1].input_schema or {}
    print(described[-1].description)
    for name, property in schema["properties"].items():
        print(f"{name}: {property}")

    print("call:", await registry.call("count_words", {"text": "fleets of devices"}))

    device = ToolClient("device-1", registry)  # what a DeviceClientEndpoint takes
    commands = [
        command("count_words", text="and their agents", least=6),
        command("count_words", least="six"),
        command("count_lines"),
        command("count_words", text="and their agents", least=9),
    ]
    message = RunCommands(actions=commands, session_id="session-1", response_id="response-1")
    for result in await device.execute_step(message):  # a failure stops none of those after it
        print(f"{result.status}: {result.error or result.result}")


if __name__ == "__main__":
    trio.run(main)
