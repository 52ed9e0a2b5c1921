import sys
import textwrap
from collections.abc import Generator
from pathlib import Path

import pytest

from aip_trio.cli.fleet._load import add_tools, load, load_task
from aip_trio.endpoints import run_listed_commands
from aip_trio.endpoints.tools import ToolRegistry, builtin_tools
from aip_trio.errors import InvalidOption, InvalidTool

LAB = """
from aip_trio.endpoints.tools import ToolRegistry, tool

async def measure(session):
    return session.request

class Callable:
    async def __call__(self, session):
        return 1

class Old:
    def __call__(self, session):
        return 1

instance, old, number = Callable(), Old(), 7

async def two(session, other):
    return 1

async def weigh(grams: int) -> int:
    return grams

@tool(name="shake")
async def shaken(seconds: float) -> None:
    pass

async def bad(what) -> None:
    pass

both = [weigh, shaken]
registry = ToolRegistry(shaken)
mixed = [weigh, 3]

def make():
    return registry

def broken():
    raise LookupError("no drivers")

class inner:
    weigh = weigh
"""


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A folder with modules, which is the current one. What is imported from it is forgotten."""
    (tmp_path / "lab_of_tests.py").write_text(textwrap.dedent(LAB))
    (tmp_path / "syntax_of_tests.py").write_text("def\n")
    (tmp_path / "needs_of_tests.py").write_text("import no_such_module_at_all\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    yield
    for name in [name for name in sys.modules if name.endswith("_of_tests")]:
        del sys.modules[name]


def test_a_name_in_a_module_is_found_in_the_current_folder_and_elsewhere() -> None:
    assert load("task", "lab_of_tests:number") == 7
    assert load("task", "aip_trio.endpoints:run_listed_commands") is run_listed_commands
    assert load("tools", "lab_of_tests:inner.weigh") is load("tools", "lab_of_tests:weigh")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no name of a thing in a module"),
        ("lab_of_tests", "is no name of a thing in a module"),
        ("lab_of_tests:", "is no name of a thing in a module"),
        ("lab/of.py:x", "is no name of a thing in a module"),
        ("no_lab_of_tests:x", "there is no 'no_lab_of_tests' in the current folder"),
        ("lab_of_tests.deeper:x", "there is no 'lab_of_tests.deeper'|cannot be imported"),
        ("syntax_of_tests:x", "cannot be imported .SyntaxError"),
        ("needs_of_tests:x", "cannot be imported .ModuleNotFoundError: No module named 'no_such_module"),
        ("lab_of_tests:nothing", "is not there: lab_of_tests has no 'nothing'"),
    ],
)
def test_what_is_not_there_is_named(text: str, told: str) -> None:
    with pytest.raises(InvalidOption, match=told):
        load("task", text)


@pytest.mark.parametrize("name", ["measure", "instance"])
def test_a_task_function_is_async_and_takes_a_session(name: str) -> None:
    assert load_task(f"lab_of_tests:{name}") is load("task", f"lab_of_tests:{name}")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("number", "no async function"),
        ("make", "no async function"),
        ("old", "no async function"),
        ("two", "with a session alone"),
    ],
)
def test_what_is_no_task_function_is_named(name: str, told: str) -> None:
    with pytest.raises(InvalidOption, match=told):
        load_task(f"lab_of_tests:{name}")


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("weigh", ["weigh"]),
        ("shaken", ["shake"]),
        ("both", ["weigh", "shake"]),
        ("registry", ["shake"]),
        ("make", ["shake"]),
    ],
)
def test_tools_come_in_many_forms(name: str, tools: list[str]) -> None:
    registry = ToolRegistry()
    add_tools(registry, [f"lab_of_tests:{name}"])
    assert [tool.name for tool in registry] == tools


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("number", "holds an object of type int, which is no tool"),
        ("mixed", "holds an object of type int, which is no tool"),
        ("broken", "raises LookupError: no drivers"),
    ],
)
def test_what_is_no_tool_is_named(name: str, told: str) -> None:
    with pytest.raises(InvalidOption, match=told):
        add_tools(ToolRegistry(), [f"lab_of_tests:{name}"])


def test_a_name_is_taken_once_and_a_bad_function_is_told_of() -> None:
    registry = builtin_tools()
    add_tools(registry, ["lab_of_tests:weigh"])
    with pytest.raises(InvalidTool, match="the registry has one of that name"):
        add_tools(registry, ["lab_of_tests:both"])
    with pytest.raises(InvalidTool):
        add_tools(registry, ["lab_of_tests:bad"])
