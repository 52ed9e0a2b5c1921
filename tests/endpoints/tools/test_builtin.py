import os
from pathlib import Path

import pytest

from aip_trio.endpoints.tools import builtin_tools
from aip_trio.errors import InvalidOption
from aip_trio.messages import ToolType
from tests.endpoints.tools.support import succeed

MACHINE = {"system_info", "live_load"}
FILES = {"list_files", "count_files", "read_file", "hash_file", "write_file"}


def test_without_a_root_there_are_no_files_and_without_a_list_no_programs(tmp_path: Path) -> None:
    assert {each.name for each in builtin_tools()} == MACHINE
    assert {each.name for each in builtin_tools(tmp_path)} == MACHINE | FILES
    assert {each.name for each in builtin_tools(allow=["sh"])} == MACHINE | {"run_program"}
    assert {each.name for each in builtin_tools(str(tmp_path), ("sh",))} == MACHINE | FILES | {"run_program"}


def test_what_acts_says_so(tmp_path: Path) -> None:
    actions = {each.name for each in builtin_tools(tmp_path, ["sh"]) if each.tool_type is ToolType.ACTION}
    assert actions == {"write_file", "run_program"}


def test_every_tool_and_every_parameter_is_described(tmp_path: Path) -> None:
    for info in builtin_tools(tmp_path, ["sh"]).describe():
        assert info.description
        assert info.output_schema
        assert info.output_schema["type"] == "object"
        assert info.input_schema
        for parameter in info.input_schema["properties"].values():
            assert parameter["description"]


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"root='.*missing' cannot be the tools' folder"):
        builtin_tools(tmp_path / "missing")


def test_a_list_that_is_one_string_is_refused() -> None:
    with pytest.raises(InvalidOption, match="is one string"):
        builtin_tools(allow="sh")


def test_without_process_groups_no_program_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "killpg")
    assert "run_program" not in builtin_tools()
    with pytest.raises(InvalidOption, match="needs process groups"):
        builtin_tools(allow=["sh"])


@pytest.mark.trio
async def test_a_program_runs_in_the_root_or_else_where_the_device_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    there, here = builtin_tools(tmp_path / "root", ["pwd"]), builtin_tools(allow=["pwd"])
    monkeypatch.chdir(tmp_path)
    assert (await succeed(there, "run_program", program="pwd"))["stdout"] == f"{tmp_path}/root\n"
    assert (await succeed(here, "run_program", program="pwd"))["stdout"] == f"{tmp_path}/here\n"
