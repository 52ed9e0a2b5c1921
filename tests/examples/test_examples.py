"""Each file of examples/ is a program that runs by itself, without a warning, as its docstring says.

The docstring's block ``Prints::`` is the whole of standard output. The block ``Logs::`` is the whole of
standard error, tracebacks left out: the first line of each log record, and the line of each exception. An
example that crashes actors on purpose has one; any other leaves standard error empty. A line that ends in
``…`` stands for all lines that begin so.
"""

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
BLOCKS = ("Prints", "Logs")
# The pages' code is included from the examples by Sphinx; what it prints, they show: page, example, output.
SHOWN = [
    (page.relative_to(ROOT), command, output)
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for command, output in re.findall(
        r"^```console\n\$ \.venv/bin/python (examples/\w+\.py)\n(.*?)^```$",
        page.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
]


def blocks(path: Path) -> dict[str, list[str]]:
    """The literal blocks of an example's docstring, by the word that opens each."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    found: dict[str, list[str]] = {}
    block: list[str] = []
    for line in docstring.splitlines():
        if line.endswith("::"):
            block = found[line.removesuffix("::")] = []
        elif line.startswith("    "):
            block.append(line)
    return {name: textwrap.dedent("\n".join(lines)).splitlines() for name, lines in found.items()}


def without_tracebacks(stderr: str) -> list[str]:
    """What log records and exceptions say in their first lines, without where it happened."""
    left_out = (" ", "Traceback (most recent call last):", "The above exception was the direct cause of")
    return [line for line in stderr.splitlines() if line and not line.startswith(left_out)]


def agree(expected: str, line: str) -> bool:
    return line.startswith(expected[:-1]) if expected.endswith("…") else line == expected


def assert_lines(found: list[str], expected: list[str]) -> None:
    if len(found) != len(expected) or not all(map(agree, expected, found)):
        assert found == expected


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-X", "utf8", *command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_example_prints_and_logs_what_its_docstring_says(path: Path, tmp_path: Path) -> None:
    expected = blocks(path)
    assert set(expected) <= set(BLOCKS)
    ended = run(str(path), cwd=tmp_path)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert_lines(ended.stdout.splitlines(), expected["Prints"])
    assert_lines(without_tracebacks(ended.stderr), expected.get("Logs", []))


@pytest.mark.parametrize("name", ["cancelled", "lamp", "valve"])
def test_pytest_finds_the_tests_of_an_example(name: str, tmp_path: Path) -> None:
    (path,) = (path for path in EXAMPLES if path.stem == name)
    ended = run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(path), cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stdout
    assert " passed" in ended.stdout


def test_a_line_that_is_missing_or_differs_is_found() -> None:
    for found, expected in ((["a"], []), ([], ["a"]), (["a"], ["b"]), (["ab"], ["b…"])):
        with pytest.raises(AssertionError):
            assert_lines(found, expected)
    assert_lines(["a", "bcd"], ["a", "b…"])


@pytest.mark.parametrize(("page", "command", "output"), SHOWN, ids=[f"{p}-{c}" for p, c, _ in SHOWN])
def test_a_page_shows_what_its_example_prints(page: Path, command: str, output: str) -> None:
    assert output.splitlines() == blocks(ROOT / command)["Prints"]


def test_every_example_is_in_a_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    assert [path.name for path in EXAMPLES if f"examples/{path.name}" not in pages] == []
