from enum import Enum

from hypothesis import given

from aip_trio.testing import Edge, every_edge, paths
from tests.machine.doors import DOOR, Door, Model, Push, machine_of, models


def test_paths_lead_to_each_state_by_the_fewest_events() -> None:
    assert paths(DOOR) == {
        Door.SHUT: (),
        Door.OPEN: (Push.OPEN,),
        Door.LOCKED: (Push.LOCK,),
        Door.GONE: (Push.OPEN, Push.REMOVE),
    }


def test_an_edge_knows_its_way_and_whether_it_is_legal() -> None:
    edges = {str(edge): edge for edge in every_edge(DOOR)}
    assert edges["OPEN-REMOVE-GONE"] == Edge((Push.OPEN,), Door.OPEN, Push.REMOVE, Door.GONE)
    assert edges["OPEN-REMOVE-GONE"].legal
    assert edges["GONE-LOCK-refused"].walk == (Push.OPEN, Push.REMOVE, Push.LOCK)
    assert not edges["GONE-LOCK-refused"].legal


@given(models())
def test_every_edge_is_each_event_in_each_state_once(model: tuple[Enum, Model, type[Enum]]) -> None:
    initial, moves, events = model
    machine = machine_of(initial, moves)
    edges = every_edge(machine)
    assert len(edges) == len(machine.states) * len(events)
    assert {(edge.state, edge.event): edge.target for edge in edges if edge.legal} == moves
    assert len({str(edge) for edge in edges}) == len(edges)


@given(models())
def test_the_prefix_of_an_edge_leads_to_its_state_and_none_is_shorter(
    model: tuple[Enum, Model, type[Enum]],
) -> None:
    machine = machine_of(*model[:2])
    lengths: dict[Enum, int] = {}
    for edge in every_edge(machine):
        tracker = machine.start()
        for event in edge.prefix:
            tracker.fire(event)
        assert tracker.state is edge.state
        lengths[edge.state] = len(edge.prefix)
    for (state, _), target in model[1].items():  # no move is a short cut past the paths
        assert lengths[target] <= lengths[state] + 1
