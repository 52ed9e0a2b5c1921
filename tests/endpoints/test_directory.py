"""The directory against a model: who is in it, who is claimed, which tasks run."""

from typing import Any, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aip_trio.endpoints.server._directory import Client, Directory, TaskOrder
from aip_trio.endpoints.server._limits import Limits
from aip_trio.endpoints.server._turns import OpenTurns
from aip_trio.errors import InvalidSpec, RegistrationRefused, TaskRefused
from aip_trio.messages import AskForTask, ClientType, Register

IDS = st.sampled_from(["a", "b", "c", "d"])
TYPES = st.sampled_from(ClientType)
LIMITS = Limits(clients=3, tasks_per_client=2)


def client(register: Register) -> Client:
    """One whose refs are mere tokens: the directory uses them as keys alone."""
    token: Any = object()
    return Client(register, cast(Any, None), OpenTurns(), token, token, None)


def ask(target: str | None) -> AskForTask:
    return AskForTask(
        request="do",
        task_name=None,
        session_id=None,
        client_id=None,
        client_type=ClientType.CONSTELLATION,
        target_id=target,
    )


class DirectoryModel(RuleBasedStateMachine):
    """Plain dicts beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Directory(LIMITS)
        self.clients: dict[str, Client] = {}
        self.replaced: list[Client] = []
        self.claims: dict[str, Register] = {}
        self.released: list[Register] = []
        self.orders: dict[str, TaskOrder] = {}

    @rule(client_id=IDS, client_type=TYPES, wanted=st.none() | IDS)
    def claim(self, client_id: str, client_type: ClientType, wanted: str | None) -> None:
        target = wanted
        register = Register(client_id, client_type, target)
        known = target is None or (target in self.clients and self.clients[target].is_device)
        full = len(self.clients) + len(self.claims) >= LIMITS.clients and client_id not in self.clients
        refused = client_id in self.claims or (client_type is ClientType.CONSTELLATION and not known) or full
        if refused:
            with pytest.raises(RegistrationRefused) as raised:
                self.directory.claim(register)
            assert raised.value.client_id == client_id
        else:
            assert self.directory.claim(register) is self.clients.get(client_id)
            self.claims[client_id] = register

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        client_id = data.draw(st.sampled_from(sorted(self.claims)))
        newcomer = client(self.claims.pop(client_id))
        self.directory.confirm(newcomer)
        if client_id in self.clients:
            self.replaced.append(self.clients[client_id])
        self.clients[client_id] = newcomer

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        register = self.claims.pop(data.draw(st.sampled_from(sorted(self.claims))))
        self.directory.release(register)
        self.released.append(register)

    @precondition(lambda self: self.released)
    @rule()
    def release_again(self) -> None:
        self.directory.release(self.released.pop())  # whoever has claimed that id since keeps it

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        client_id = data.draw(st.sampled_from(sorted(self.clients)))
        gone = self.clients.pop(client_id)
        assert self.directory.forget_session(gone.session) is gone
        assert self.directory.forget_session(gone.session) is None

    @precondition(lambda self: self.replaced)
    @rule()
    def lose_a_ghost(self) -> None:
        ghost = self.replaced.pop()
        assert self.directory.forget_session(ghost.session) is ghost  # and its successor stays

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), wanted=st.none() | IDS, session=IDS)
    def order(self, data: st.DataObject, wanted: str | None, session: str) -> None:
        asker = self.clients[data.draw(st.sampled_from(sorted(self.clients)))]
        target = asker.id if asker.is_device else wanted or asker.register.target_id
        device = self.clients.get(target) if target is not None else None
        running = sum(order.asker is asker for order in self.orders.values())
        if (
            device is None
            or not device.is_device
            or session in self.orders
            or running >= LIMITS.tasks_per_client
        ):
            with pytest.raises(TaskRefused):
                self.directory.order(asker, ask(wanted), session)
            return
        order = self.directory.order(asker, ask(wanted), session)
        assert order.device is device
        assert order.asker is asker
        self.orders[session] = order

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        order = self.orders.pop(data.draw(st.sampled_from(sorted(self.orders))))
        self.directory.close(order)
        self.directory.close(order)

    @invariant()
    def agree(self) -> None:
        assert self.directory.clients == self.clients
        assert self.directory.orders == self.orders
        for client_id, known in self.clients.items():
            assert (self.directory.device(client_id) is known) is known.is_device
            theirs = [s for s, o in self.orders.items() if client_id in (o.device.id, o.asker.id)]
            assert sorted(self.directory.sessions_of(client_id)) == sorted(theirs)


TestDirectory = DirectoryModel.TestCase


@pytest.mark.parametrize("name", ["clients", "connections", "tasks_per_client", "message_size"])
@pytest.mark.parametrize("value", [0, -1, True, "many"])
def test_a_limit_that_is_none_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidSpec, match=f"Limits.{name}="):
        Limits(**{name: cast(Any, value)})
