"""A whole test case from a machine and a factory of real objects."""

import unittest
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import TypeVar, cast

import hypothesis
from hypothesis.stateful import RuleBasedStateMachine

from ..machine import Machine
from ._paths import Edge, every_edge
from ._perform import PATIENCE, perform_walk, run_walk
from ._referee import REFUSALS, Refusals
from ._stateful import AsyncMachineStateMachine, MachineStateMachine
from ._subject import AsyncSubject, Subject

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def machine_test(
    machine: Machine[S, E],
    make_subject: Callable[[], Subject[S, E]],
    *,
    refusals: Refusals = REFUSALS,
    settings: hypothesis.settings | None = None,
) -> type[unittest.TestCase]:
    """A test case for a synchronous object: ``TestDoor = machine_test(DOOR, RealDoor)``.

    ``test_every_edge`` goes to each state by a shortest way and fires each event there, legal or not;
    ``test_random_walks`` is a `MachineStateMachine`. ``make_subject`` makes a fresh object for each walk.
    ``settings`` are Hypothesis's, of which the deadline is not used.
    """

    def perform(edge: Edge[S, E]) -> None:
        perform_walk(machine, make_subject(), edge.walk, refusals=refusals)

    def open_subject(_: object) -> Subject[S, E]:
        return make_subject()

    rules = _rules(MachineStateMachine, machine=machine, refusals=refusals, open_subject=open_subject)
    return _test_case(machine, perform, rules, settings)


def async_machine_test(
    machine: Machine[S, E],
    open_subject: Callable[[], AbstractAsyncContextManager[AsyncSubject[S, E]]],
    *,
    refusals: Refusals = REFUSALS,
    patience: float = PATIENCE,
    settings: hypothesis.settings | None = None,
) -> type[unittest.TestCase]:
    """As `machine_test`, for an object on Trio: each walk is a Trio run in virtual time.

    ``patience``: seconds of virtual time that one event, opening, or closing may take before it is a hang.
    """

    def perform(edge: Edge[S, E]) -> None:
        run_walk(machine, open_subject, edge.walk, refusals=refusals, patience=patience)

    def opened(_: object) -> AbstractAsyncContextManager[AsyncSubject[S, E]]:
        return open_subject()

    rules = _rules(
        AsyncMachineStateMachine, machine=machine, refusals=refusals, patience=patience, open_subject=opened
    )
    return _test_case(machine, perform, rules, settings)


def _rules(base: type[RuleBasedStateMachine], **members: object) -> type[RuleBasedStateMachine]:
    return cast("type[RuleBasedStateMachine]", type("RandomWalk", (base,), members))


def _test_case(
    machine: Machine[S, E],
    perform: Callable[[Edge[S, E]], None],
    rules: type[RuleBasedStateMachine],
    settings: hypothesis.settings | None,
) -> type[unittest.TestCase]:
    def test_every_edge(case: unittest.TestCase) -> None:
        for edge in every_edge(machine):
            with case.subTest(edge=str(edge)):
                perform(edge)

    base = rules.TestCase
    members = {
        "__doc__": f"A real object beside machine {machine.name!r}.",
        "settings": base.settings if settings is None else hypothesis.settings(settings, deadline=None),
        "test_every_edge": test_every_edge,
        "test_random_walks": base.runTest,
    }
    return type("MachineTest", (base,), members)
