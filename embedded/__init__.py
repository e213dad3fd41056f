"""The one-command local stack: PostgreSQL, Temporal and the processes that use them, supervised."""

import sys

if sys.platform == "win32":
    raise ImportError("the local stack runs on Linux and macOS; on Windows, run worker.py with servers of your own")
