"""What the kernel is told to hold a plugin's process to."""

import importlib
import sys

_MEBIBYTE = 1 << 20


def limit_memory(memory_mb: int) -> None:
    """Have allocations beyond so many mebibytes fail in this process, and a crash leave no core file.

    Linux counts what a process could write to (RLIMIT_DATA); files that it maps to read do not count. macOS takes the
    limit and does not hold allocations to it.
    """
    if sys.platform == "win32":
        return
    resource = importlib.import_module("resource")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = memory_mb * _MEBIBYTE
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if most < 0 else min(wanted, most), most))


def limits_memory() -> bool:
    """Return whether this system holds a process to its limit of memory."""
    return sys.platform == "linux"
