"""A worker for the chaos run: back in no time after each kill, and it can be hit between signing and sending.

python -m tests.chaos.worker

The product has no hook for that. Here ccxt's `fetch`, the step after a request was signed, looks for a trap: a file in
the folder CHAOS_TRAPS, whose name says what is to happen. The first process that sends an order springs it, by
renaming it to NAME.PID.
"""

import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any

import worker
from brokers.ccxt_import import exchange_class
from embedded.guard import die_with_parent

STOP_BEFORE, KILL_BEFORE, KILL_AFTER = "stop-before-sending", "kill-before-sending", "kill-after-sending"
FOLDER = "CHAOS_TRAPS"

_ORDERS = "/api/v3/order"
# A worker that cannot start, because Temporal is away, is not to be started without a pause.
_BETWEEN_LIVES = 0.3


def main() -> None:
    """Run worker after worker, until one ends by itself. The slow imports are done once: every life is a fork."""
    _lay_traps(exchange_class("binance"), Path(os.environ[FOLDER]))
    parent = os.getpid()
    while True:
        child = os.fork()
        if child == 0:
            die_with_parent(parent, signal.SIGKILL)
            worker.main([])
            os._exit(0)

        def forward(number: int, _: FrameType | None, child: int = child) -> None:
            os.kill(child, number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, forward)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return
        time.sleep(_BETWEEN_LIVES)


def _lay_traps(exchange: Any, folder: Path) -> None:
    fetch: Callable[..., Awaitable[Any]] = exchange.fetch

    async def watched(self: Any, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        sends = method == "POST" and _ORDERS in url
        if sends and _springs(folder, STOP_BEFORE):
            os.kill(os.getpid(), signal.SIGSTOP)
        if sends and _springs(folder, KILL_BEFORE):
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await fetch(self, url, method, headers, body)
        if sends and _springs(folder, KILL_AFTER):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    exchange.fetch = watched


def _springs(folder: Path, name: str) -> bool:
    """Return whether there is such a trap, and nobody else has sprung it."""
    try:
        (folder / name).rename(folder / f"{name}.{os.getpid()}")
    except FileNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
