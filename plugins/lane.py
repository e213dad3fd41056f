"""Threads in which a plugin is waited for, apart from those of the catalogue and of other plugins."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from plugins.errors import PluginBusy

P = ParamSpec("P")
T = TypeVar("T")


class Lane(ThreadPoolExecutor):
    """One thread: a plugin answers one question at a time anyway.

    A call whose turn comes too late is not begun: its bot is better guarded by its levels than left waiting.
    """

    def __init__(self, name: str, patience_seconds: float) -> None:
        super().__init__(1, thread_name_prefix=f"plugin {name}")
        self._name = name
        self._patience = patience_seconds

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Queue a call."""
        asked = time.monotonic()

        def in_time() -> T:
            waited = time.monotonic() - asked
            if waited > self._patience:
                raise PluginBusy(f"{self._name} is busy: {waited:.0f} s went by before it could be asked")
            return fn(*args, **kwargs)

        return super().submit(in_time)
