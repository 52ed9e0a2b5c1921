import io
import json

import attrs
import pytest
from rich.console import Console

from aip_trio.cli.demo._comparison import compare
from aip_trio.cli.demo._inventory import Entry, Inventory
from aip_trio.cli.demo._jobs import Load
from aip_trio.cli.demo._plain import Glance, Look, Stamp
from aip_trio.cli.demo._report import Report, RunReport
from aip_trio.cli.demo._run import Outcome
from aip_trio.cli.demo._scope import Scope
from aip_trio.cli.demo._strike import Aim

STAMP = Stamp(3, 0, 0)
RIGHT = Inventory({"a.py": Entry("a.py", 3, "d")}, {"\x1b": "EACCES"})
GLANCE = Glance({"a.py": STAMP, "\x1b": STAMP}, {"": STAMP})


def run(what: Aim, inventory: Inventory = RIGHT, done: int = 5) -> RunReport:
    killed = None if what is Aim.NOBODY else "device-2 (pid 7)"
    outcome = Outcome(
        inventory=inventory,
        loads={"device-1": Load(12.4, 5.6)},
        asked=5,
        done=done,
        done_by={"device-1": 5},
        retried=2,
        killed=killed,
        recovery=None if killed is None else 1.234,
        time=0.5,
    )
    return RunReport(what, outcome, compare(inventory, Look(GLANCE, RIGHT), before=GLANCE))


def report(*runs: RunReport) -> Report:
    return Report(
        root="/tree", seed=7, scope=Scope(one_in=3), runs=runs, start_time=1.0, plain_time=0.25, time=4.0
    )


GOOD = report(run(Aim.NOBODY), run(Aim.DEVICE))
LOST = report(run(Aim.NOBODY), run(Aim.SERVER, attrs.evolve(RIGHT, entries={})))


def test_a_good_report_in_lines() -> None:
    assert "\n".join(GOOD.lines()) == (
        "by type\n"
        "  .py  1 files  3 B\n"
        "unreadable\n"
        "  \\x1b  EACCES\n"
        "machine load\n"
        "  device-1  12 % of the processors  6 % of the memory\n"
        "inventory of /tree\n"
        "  files               1, 1 of them hashed\n"
        "  bytes               3 (3 B)\n"
        "  duplicates          0 sets of 0 files\n"
        "  wasted by them      0 B\n"
        "  unreadable          1\n"
        "  changed meanwhile   0\n"
        "  start of the fleet  1.00 s\n"
        "  time                4.00 s, 0.25 s of it for plain code\n"
        "  limit               too much to hash it all: one file in 3 is\n"
        "the fleet's tasks\n"
        "  run                 asked  done  retried  killed            recovery  time    equal\n"
        "  in peace            5      5     2        -                 -         0.50 s  yes\n"
        "  a device is killed  5      5     2        device-2 (pid 7)  1.23 s    0.50 s  yes\n"
        "every task has its one outcome, and every result equals that of plain code"
    )


def test_a_bad_report_says_where_and_what() -> None:
    assert not LOST.good
    lines = list(LOST.lines())
    assert "NOT EQUAL: the server is killed" in lines
    assert "  a.py  fleet: not there  plain: 3 bytes, d" in lines
    assert lines[-1] == "NOT as plain code says: the server is killed"


def test_a_task_without_an_outcome_is_bad_too() -> None:
    missing = report(run(Aim.NOBODY), run(Aim.DEVICE, done=4))
    assert not missing.good
    assert list(missing.lines())[-1] == "NOT as plain code says: a device is killed"


@pytest.mark.parametrize("given", [GOOD, LOST])
def test_the_data_are_json_and_say_the_same(given: Report) -> None:
    data = json.loads(json.dumps(given.data()))
    assert data["equal"] == given.good
    assert data["seed"] == 7
    assert data["limits"] == ["too much to hash it all: one file in 3 is"]
    assert [each["run"] for each in data["runs"]] == [each.what.value for each in given.runs]
    assert data["runs"][1]["recovery"] == 1.234
    assert data["unreadable"] == [{"path": "\x1b", "error": "EACCES"}]


@pytest.mark.parametrize("given", [GOOD, LOST])
def test_a_picture_is_drawn(given: Report) -> None:
    screen = io.StringIO()
    Console(file=screen, width=120).print(given.picture())
    *_, verdict = screen.getvalue().splitlines()
    assert verdict == list(given.lines())[-1]
