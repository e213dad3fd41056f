"""The worker of the demo: `python -m cli.demo.worker FILE`.

It does its slow imports while the servers are still starting; FILE, with its environment as JSON, appears once they
are ready. From then on it is the worker like any other.
"""

import json
import os
import sys
import time
from pathlib import Path

import worker
from brokers.ccxt_import import exchange_class
from cli.demo.cast import VENUE

_PAUSE = 0.02


def main(file: Path) -> None:
    """Wait for the file, then run."""
    exchange_class(VENUE)
    while not file.exists():
        time.sleep(_PAUSE)
    os.environ.update(json.loads(file.read_text(encoding="utf-8")))
    worker.main([])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
