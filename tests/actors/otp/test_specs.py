"""Child specs and flags that are refused, and those that are not."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from aip_trio.actors import ChildSpec, Supervisor
from aip_trio.errors import InvalidSpec
from tests.actors.otp._case import Case, run
from tests.actors.otp._children import Worker

#: The values are wrong on purpose.
make_spec: Any = ChildSpec
make_supervisor: Any = Supervisor

BAD_OPTIONS = (
    ("restart", "prmanent"),
    ("shutdown", -10),
    ("shutdown", math.nan),
    ("shutdown", "brutal_kill"),
    ("significant", "maybe"),
)


def refusal(make: Any, *args: object, **options: object) -> tuple[str, object]:
    """Which field was refused, and which value of it."""
    with pytest.raises(InvalidSpec) as refused:
        make(*args, **options)
    return refused.value.field, refused.value.value


def test_child_specs() -> None:
    assert refusal(make_spec, "child", "no factory") == ("factory", "no factory")
    assert refusal(make_spec, "", Worker) == ("name", "")
    assert refusal(make_spec, "a/b", Worker) == ("name", "a/b")
    for option, value in BAD_OPTIONS:
        field, _ = refusal(make_spec, "child", Worker, **{option: value})
        assert field == option

    for restart, shutdown in itertools.product(
        ("permanent", "transient", "temporary"), (0, 1, 0.5, "infinity", "brutal")
    ):
        spec = make_spec("child", Worker, restart=restart, shutdown=shutdown)
        assert (spec.restart.value, spec.shutdown) == (restart, shutdown)

    async def main(case: Case) -> None:
        one, hej = case.child("child"), "hej"
        bad: Any = hej
        sup = await case.supervisor()
        with pytest.raises(InvalidSpec) as refused:
            await sup.start_child(bad)
        assert (refused.value.field, refused.value.value) == ("child", hej)
        assert sup.which_children() == ()
        await sup.stop()

        with pytest.raises(InvalidSpec, match="two children have it"):
            await case.supervisor(one, case.child("child", shutdown="infinity"))
        with pytest.raises(InvalidSpec, match="exactly one spec"):
            await case.supervisor(strategy="simple_one_for_one")
        with pytest.raises(InvalidSpec, match="exactly one spec"):
            await case.supervisor(one, case.child("other"), strategy="simple_one_for_one")
        assert case.journal.read() == []

    run(main)


def test_child_specs_map() -> None:
    """Every combination: whether it is refused, and for which reason."""

    async def main(case: Case) -> None:
        for mode, restart, shutdown, significant in itertools.product(
            ("never", "any_significant", "all_significant"),
            ("permanent", "transient", "temporary"),
            (0, 1.0, "infinity", "brutal"),
            (True, False),
        ):
            options: Any = {"restart": restart, "shutdown": shutdown, "significant": significant}
            flags: Any = {"auto_shutdown": mode}
            if significant and restart == "permanent":
                with pytest.raises(InvalidSpec, match="permanent child never ends") as refused:
                    case.child("child", **options)
            elif significant and mode == "never":
                with pytest.raises(InvalidSpec, match="auto_shutdown='never'") as refused:
                    await case.supervisor(case.child("child", **options), **flags)
                sup = await case.supervisor(**flags)
                with pytest.raises(InvalidSpec, match="auto_shutdown='never'") as refused:
                    await sup.start_child(case.child("child", **options))
                await sup.stop()
            else:
                sup = await case.supervisor(case.child("child", **options), **flags)
                assert sup.child_spec("child").significant is significant
                await sup.stop()
                continue
            assert (refused.value.field, refused.value.value) == ("significant", True)

    run(main)


def test_sup_flags() -> None:
    for flag, value in (
        ("strategy", "none_for_one"),
        ("intensity", math.inf),
        ("intensity", -1),
        ("intensity", True),
        ("period", 0),
        ("period", -1.0),
        ("period", math.nan),
        ("auto_shutdown", "sometimes"),
    ):
        field, refused = refusal(make_supervisor, **{flag: value})
        assert field == flag
        assert refused is value

        broken = type("Broken", (Supervisor,), {flag: value})
        assert refusal(broken)[0] == flag

    # OTP ignores what it does not know; here a misspelt flag is refused
    with pytest.raises(TypeError, match="silly_flag"):
        make_supervisor(silly_flag=True)
    assert make_supervisor(intensity=0, period=0.1).intensity == 0
