"""Ctrl-C: the first asks the running step to stop at its next safe place, the second ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether the user has asked to stop.

    Args:
        say: Called with one line when the request comes in.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._asked = False

    def is_asked(self) -> bool:
        """Return whether a stop was asked for."""
        return self._asked

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take Ctrl-C while the body runs. Only the main thread can; elsewhere nothing changes."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._say("stopping at the next safe place; Ctrl-C again stops at once")
