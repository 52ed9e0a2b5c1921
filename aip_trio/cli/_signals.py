"""SIGINT and SIGTERM: the first one stops in order, the second one hurries."""

import signal
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager

import trio

__all__ = ["STOP_SIGNALS", "Interruption", "receive_signals"]

#: Ctrl-Break, on Windows, is a third way.
STOP_SIGNALS: tuple[signal.Signals, ...] = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)


@contextmanager
def receive_signals() -> Generator[AsyncIterator[int] | None]:
    """The signals as they arrive; None outside of the main thread, which alone can take them."""
    if threading.current_thread() is threading.main_thread():
        with trio.open_signal_receiver(*STOP_SIGNALS) as signals:
            yield signals
    else:
        yield None


class Interruption:
    """What the signals do to a command.

    ``command`` is the scope of the command's own task: cancelled by the first signal, so that its system
    stops the tree in order. ``everything`` holds the system too: cancelled by the second.
    """

    def __init__(self) -> None:
        self.command = trio.CancelScope()
        self.everything = trio.CancelScope()
        self.first: signal.Signals | None = None

    def interrupt(self, number: int) -> None:
        """A signal has come."""
        if self.first is None:
            self.first = signal.Signals(number)
            self.command.cancel(reason=f"stopped by {self.first.name}")
        else:
            self.everything.cancel(reason="told to hurry by another signal")
