"""A worker that is back in no time after each kill: the slow imports are done once, and every life is a fork of them.

python -m tests.support.forking_worker
"""

import os
import signal
from types import FrameType

import worker
from brokers.ccxt_import import exchange_class


def main() -> None:
    """Run worker after worker, until one ends by itself."""
    exchange_class("binance")
    while True:
        child = os.fork()
        if child == 0:
            worker.main([])
            os._exit(0)

        def forward(number: int, _: FrameType | None, child: int = child) -> None:
            os.kill(child, number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, forward)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return


if __name__ == "__main__":
    main()
