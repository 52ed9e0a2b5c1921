"""A port of Erlang/OTP's supervisor_SUITE, each case a test of its own under its own name.

The names are those of lib/stdlib/test/supervisor_SUITE.erl in its version of 2025; no code was taken
from there. What is the same everywhere: OTP's processes are actors here, a pid is an incarnation, an exit
with reason ``normal`` is an actor's own orderly end, ``shutdown`` its supervisor's word, ``killed`` a
cancellation, and anything else a crash. Where this project differs on purpose, a case pins what it
does instead:

- A supervisor that gives up crashes with RestartIntensityExceeded, where OTP's exits with ``shutdown``.
- A ref outlives restarts; it names a child wherever its name does. Refusals are exceptions.
- Unknown options and flags are refused, not ignored.
- Children of simple_one_for_one have names, and may be called by them; each counts as a spec.
- ``which_children`` goes in order of start, not in reverse.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ALL = """
    sup_start_normal sup_start_ignore_init sup_start_ignore_child sup_start_ignore_temporary_child
    sup_start_ignore_temporary_child_start_child sup_start_ignore_temporary_child_start_child_simple
    sup_start_ignore_permanent_child_start_child_simple sup_start_error_return sup_start_fail
    sup_start_child_returns_error sup_start_restart_child_returns_error
    sup_start_child_returns_error_simple sup_start_map sup_start_map_simple sup_start_map_faulty_specs
    sup_stop_infinity sup_stop_timeout sup_stop_timeout_dynamic sup_stop_brutal_kill
    sup_stop_brutal_kill_dynamic sup_stop_race sup_stop_non_shutdown_exit_dynamic
    child_adm child_adm_simple extra_return child_specs child_specs_map sup_flags
    external_start_no_progress_log permanent_normal transient_normal temporary_normal
    permanent_shutdown transient_shutdown temporary_shutdown faulty_application_shutdown
    permanent_abnormal transient_abnormal temporary_abnormal temporary_bystander
    multiple_restarts one_for_one one_for_one_escalation
    one_for_all one_for_all_escalation one_for_all_other_child_fails_restart
    simple_one_for_one simple_one_for_one_shutdown simple_one_for_one_extra
    simple_one_for_one_escalation simple_one_for_one_corruption simple_one_for_one_restart_ignore
    rest_for_one rest_for_one_escalation rest_for_one_other_child_fails_restart
    nonsignificant_temporary nonsignificant_transient significant_temporary significant_transient
    significant_simple significant_bystander significant_escalation
    significant_upgrade_never_any significant_upgrade_any_never significant_upgrade_never_all
    significant_upgrade_all_never significant_upgrade_any_all significant_upgrade_all_any
    significant_upgrade_child
    child_unlink tree count_children count_children_supervisor count_restarting_children
    get_callback_module do_not_save_start_parameters_for_temporary_children
    do_not_save_child_specs_for_temporary_children simple_one_for_one_scale_many_temporary_children
    simple_global_supervisor hanging_restart_loop hanging_restart_loop_rest_for_one
    hanging_restart_loop_simple code_change code_change_map code_change_simple code_change_simple_map
    order_of_children scale_start_stop_many_children format_log_1 format_log_2
    already_started_outside_supervisor which_children which_children_simple_one_for_one
"""
NAMES = ALL.split()

_EXTRA = "a start function's {ok, Pid, Info}: starting an actor gives its ref, and nothing else"
_UPGRADE = "flags and specs do not change while a supervisor runs; it has no code_change"

LEFT_OUT = {
    "extra_return": _EXTRA,
    "simple_one_for_one_extra": _EXTRA,
    "significant_upgrade_never_any": _UPGRADE,
    "significant_upgrade_any_never": _UPGRADE,
    "significant_upgrade_never_all": _UPGRADE,
    "significant_upgrade_all_never": _UPGRADE,
    "significant_upgrade_any_all": _UPGRADE,
    "significant_upgrade_all_any": _UPGRADE,
    "significant_upgrade_child": _UPGRADE,
    "code_change": _UPGRADE,
    "code_change_map": _UPGRADE,
    "code_change_simple": _UPGRADE,
    "code_change_simple_map": _UPGRADE,
}


def ported() -> list[str]:
    """The cases in this folder, by name, without importing them."""
    return [
        node.name.removeprefix("test_")
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        if path != Path(__file__)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def test_every_case_is_ported_or_left_out_for_a_reason() -> None:
    assert Counter([*ported(), *LEFT_OUT]) == Counter(NAMES)
    assert max(Counter(NAMES).values()) == 1
