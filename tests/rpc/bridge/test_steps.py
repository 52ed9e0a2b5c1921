import pytest
from hypothesis import given, strategies as st

from aip_trio.rpc.bridge import RPC_BRIDGE_MACHINE, RpcBridgeEvent as E, RpcBridgeState as S
from aip_trio.rpc.bridge._steps import next_event
from aip_trio.rpc.client import PresenceState as P


@given(st.sampled_from(S), st.sampled_from(P), st.booleans())
def test_what_follows_is_always_legal(state: S, presence: P, same: bool) -> None:
    event = next_event(state, presence, same=same)
    if event is not None:
        RPC_BRIDGE_MACHINE.next(state, event)


@given(st.sampled_from([S.WAITING, S.JOINED, S.AWAY]), st.sampled_from(P), st.booleans())
def test_it_comes_to_rest_where_the_service_s_presence_says(state: S, presence: P, same: bool) -> None:
    if presence is P.PRESENT:
        expected = S.JOINED
    elif presence is P.GONE or not same or state is S.WAITING:
        expected = S.WAITING
    else:
        expected = S.AWAY if presence is P.MISSING else state
    for _ in range(5):
        event = next_event(state, presence, same=same)
        if event is None:
            break
        state = RPC_BRIDGE_MACHINE.next(state, event)
        if state is S.JOINING:
            state, same = RPC_BRIDGE_MACHINE.next(state, E.REGISTERED), True
        elif state is S.LEAVING:
            state = RPC_BRIDGE_MACHINE.next(state, E.LEFT)
    assert state is expected


@pytest.mark.parametrize("state", [S.JOINING, S.JOINED, S.AWAY])
def test_another_service_is_as_good_as_none(state: S) -> None:
    assert next_event(state, P.PRESENT, same=False) is E.GONE


@pytest.mark.parametrize("state", list(S))
def test_a_service_of_which_nothing_is_known_changes_nothing(state: S) -> None:
    assert next_event(state, P.UNKNOWN) is None
