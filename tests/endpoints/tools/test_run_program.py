import os
import sys
from pathlib import Path

import pytest
import trio

from aip_trio.endpoints.tools import ToolClient, ToolRegistry, _process, builtin_tools
from aip_trio.errors import InvalidOption
from aip_trio.messages import ResultStatus, RunCommands
from tests.endpoints.tools.support import command, fail, succeed


@pytest.fixture
def registry(tmp_path: Path) -> ToolRegistry:
    return builtin_tools(tmp_path, ["sh", "cat", "env", sys.executable])


@pytest.mark.trio
async def test_a_program_of_the_list_is_run(registry: ToolRegistry) -> None:
    result = await succeed(
        registry,
        "run_program",
        program="sh",
        arguments=["-c", 'echo "$1"; cat; exit 3', "x", "a  b;$HOME"],
        stdin="in",
    )
    assert result == {"exit_status": 3, "stdout": "a  b;$HOME\nin", "stderr": "", "truncated": False}


@pytest.mark.trio
async def test_with_check_an_exit_status_fails_the_call_and_its_output_is_kept(
    registry: ToolRegistry,
) -> None:
    program = command(
        registry, "run_program", program="sh", arguments=["-c", "echo half; exit 3"], check=True
    )
    result = await registry.run(program)
    assert (result.status, result.error) == (ResultStatus.FAILURE, "sh ended with exit status 3")
    assert result.result == {"exit_status": 3, "stdout": "half\n", "stderr": "", "truncated": False}
    good = await succeed(registry, "run_program", program="sh", arguments=["-c", "exit 0"], check=True)
    assert good["exit_status"] == 0


@pytest.mark.trio
async def test_a_program_may_stand_there_by_its_path(registry: ToolRegistry) -> None:
    result = await succeed(registry, "run_program", program=sys.executable, arguments=["-c", "print(1)"])
    assert result["stdout"] == "1\n"


@pytest.mark.parametrize(
    "program", ["ls", "/bin/sh", "sh -c ls", "sh\0", "./sh", "../sh", "", "SH", "python", "x" * 100_000]
)
@pytest.mark.trio
async def test_any_other_program_is_refused(registry: ToolRegistry, program: str) -> None:
    error = await fail(registry, "run_program", program=program)
    assert error.startswith("program='")
    assert error.endswith(f"is not allowed on this device: it allows sh, cat, env, {sys.executable}")


def test_the_list_is_told_in_the_description(registry: ToolRegistry) -> None:
    description = registry["run_program"].description
    assert description is not None
    assert description.endswith(f"The list: sh, cat, env, {sys.executable}.")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no-such-program", "is no program that can be run here"),
        ("/no/such/program", "is no program that can be run here"),
        ("/etc/passwd", "is no program that can be run here"),
        ("/", "is no program that can be run here"),
        ("", "is no program that can be run here"),
        ("bin/sh", "is a relative path"),
        ("./sh", "is a relative path"),
    ],
)
def test_a_list_with_what_is_no_program_is_refused(name: str, reason: str) -> None:
    with pytest.raises(InvalidOption, match=reason):
        builtin_tools(allow=["sh", name])


@pytest.mark.trio
async def test_a_name_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hello").write_text(f"#!/bin/sh\necho {folder}")
        (tmp_path / folder / "hello").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/first", prepend=os.pathsep)
    registry = builtin_tools(allow=["hello"])
    monkeypatch.setenv("PATH", f"{tmp_path}/second", prepend=os.pathsep)
    assert (await succeed(registry, "run_program", program="hello"))["stdout"] == "first\n"


@pytest.mark.trio
async def test_a_program_is_told_little_of_the_devices_environment(
    registry: ToolRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("LD_PRELOAD_X", "x")
    output: str = (await succeed(registry, "run_program", program="env"))["stdout"]
    names = {line.partition("=")[0] for line in output.splitlines()}
    assert {"PATH", "LC_ALL"} <= names
    assert names <= {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ"}


@pytest.mark.trio
async def test_a_program_that_takes_too_long_is_stopped(
    registry: ToolRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_process, "GRACE", 0.2)
    script = "trap '' TERM; echo $$ > pid; sleep 1000"
    with trio.fail_after(10):
        error = await fail(registry, "run_program", program="sh", arguments=["-c", script], timeout=1)
    assert error == "tool 'run_program' did not end within timeout=1.0 s and was cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.trio
async def test_its_timeout_stands_in_place_of_the_devices(registry: ToolRegistry) -> None:
    slow = command(registry, "run_program", program="sh", arguments=["-c", "sleep 0.2; echo x"])
    message = RunCommands(actions=[slow], session_id="session", response_id="response")
    (result,) = await ToolClient("device", registry, timeout=0.05).execute_step(message)
    assert result.status is ResultStatus.SUCCESS


@pytest.mark.parametrize("seconds", [0, -1, 3601, "1"])
@pytest.mark.trio
async def test_its_timeout_has_bounds(registry: ToolRegistry, seconds: object) -> None:
    assert "@ $.timeout" in await fail(registry, "run_program", program="sh", timeout=seconds)


@pytest.mark.trio
async def test_what_is_no_text_is_replaced(registry: ToolRegistry) -> None:
    script = r"printf 'a\377b\303\251'"
    result = await succeed(registry, "run_program", program="sh", arguments=["-c", script])
    assert result["stdout"] == "a\ufffdb\u00e9"


@pytest.mark.trio
async def test_output_is_bounded(registry: ToolRegistry) -> None:
    script = "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2"
    result = await succeed(registry, "run_program", program="sh", arguments=["-c", script])
    assert (len(result["stdout"]), len(result["stderr"])) == (1024 * 1024, 1024 * 1024)
    assert result["truncated"] is True


@pytest.mark.trio
async def test_a_program_that_cannot_be_started_is_told_without_the_root(
    registry: ToolRegistry, tmp_path: Path
) -> None:
    assert await fail(registry, "run_program", program="cat", arguments=["a\0b"]) == (
        "program='cat' could not be started: embedded null byte"
    )
    too_long = await fail(registry, "run_program", program="cat", arguments=["x" * 3_000_000])
    assert too_long == "program='cat' could not be started: Argument list too long"
    os.rmdir(tmp_path)
    assert await fail(registry, "run_program", program="cat") == (
        "program='cat' could not be started: No such file or directory"
    )
