"""Calls that are too slow for the event loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")


def slow(call: Callable[[A], R]) -> Callable[[A], R]:
    """Return a call that lasts until the running event loop has turned: made on the loop itself, it fails.

    Raises:
        AssertionError: the loop stands still for as long as the call lasts.
    """
    loop, turned = asyncio.get_running_loop(), threading.Event()

    def waiting(argument: A) -> R:
        loop.call_soon_threadsafe(turned.set)
        assert turned.wait(5), "the event loop stands still"
        return call(argument)

    return waiting
