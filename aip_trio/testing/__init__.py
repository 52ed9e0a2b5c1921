"""Testing protocols and their cancellation with Hypothesis and Trio, in virtual time.

**A real object against its machine.** Write the protocol as a `aip_trio.machine.Machine`, wrap the real
object as a `Subject` (``state`` and ``fire(event)``), and in a test module::

    TestDoor = machine_test(DOOR, RealDoor)

which walks every edge of the table by the shortest way, legal and illegal, and then at random; or, for
an object on Trio, whose factory returns an async context manager::

    TestDoor = async_machine_test(DOOR, open_real_door)

Where more control is wanted, the parts are public. Draw walks, and perform them::

    @given(walks(DOOR))
    def test_door(walk):
        perform_walk(DOOR, RealDoor(), walk)                # run_walk for an AsyncSubject

    @pytest.mark.parametrize("edge", every_edge(DOOR), ids=str)
    def test_door_edge(edge):
        perform_walk(DOOR, RealDoor(), edge.walk)

or subclass `MachineStateMachine` or `AsyncMachineStateMachine`, and add rules and invariants.

**Cancellation.** `cancel_at_every_checkpoint` runs a scenario again and again, each time cancelling the call
under test a little later.
"""

from ._cancel import CancelPoint, cancel_at_every_checkpoint
from ._guest import GuestRun
from ._machine_test import async_machine_test, machine_test
from ._paths import Edge, every_edge, paths
from ._perform import perform_walk, perform_walk_async, run_walk
from ._referee import Mismatch
from ._stateful import AsyncMachineStateMachine, MachineStateMachine
from ._subject import AsyncSubject, Subject
from ._walks import walks

__all__ = [
    "AsyncMachineStateMachine",
    "AsyncSubject",
    "CancelPoint",
    "Edge",
    "GuestRun",
    "MachineStateMachine",
    "Mismatch",
    "Subject",
    "async_machine_test",
    "cancel_at_every_checkpoint",
    "every_edge",
    "machine_test",
    "paths",
    "perform_walk",
    "perform_walk_async",
    "run_walk",
    "walks",
]
