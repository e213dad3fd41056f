"""Calls that are too slow for the event loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def slow(call: Callable[P, R]) -> Callable[P, R]:
    """Return a call that lasts until the running event loop has turned: made on the loop itself, it fails.

    Raises:
        AssertionError: the loop stands still for as long as the call lasts.
    """
    loop, turned = asyncio.get_running_loop(), threading.Event()

    def waiting(*args: P.args, **kwargs: P.kwargs) -> R:
        loop.call_soon_threadsafe(turned.set)
        assert turned.wait(5), "the event loop stands still"
        return call(*args, **kwargs)

    return waiting
