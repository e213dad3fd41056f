"""Copies of the embedded stack's files, and going back to them."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

TEMPORAL, POSTGRES = "temporal.db", "postgres"


async def copy_temporal(home: Path, to: Path) -> None:
    """Copy the file of a server that runs: SQLite does that in one transaction."""
    await asyncio.to_thread(_copy_database, home / TEMPORAL, to / TEMPORAL)


async def copy_postgres(home: Path, to: Path) -> None:
    """Copy the cluster of a server that is stopped, owners and modes with it."""
    await _copy_folder(home / POSTGRES, to / POSTGRES)


async def restore_temporal(home: Path, copy: Path) -> None:
    """Put the copy in the place of the file of a server that is stopped."""
    for suffix in ("-wal", "-shm"):
        (home / f"{TEMPORAL}{suffix}").unlink(missing_ok=True)
    await asyncio.to_thread(shutil.copyfile, copy / TEMPORAL, home / TEMPORAL)


async def restore_postgres(home: Path, copy: Path) -> None:
    """Put the copy in the place of the cluster of a server that is stopped."""
    await _copy_folder(copy / POSTGRES, home / POSTGRES)


def _copy_database(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with sqlite3.connect(source) as read, sqlite3.connect(target) as write:
        read.backup(write)
    read.close()
    write.close()


async def _copy_folder(source: Path, target: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
    # `cp` keeps the owner, who is another one where we are root.
    process = await asyncio.create_subprocess_exec("cp", "-a", str(source), str(target))
    if await process.wait() != 0:
        raise OSError(f"{source} could not be copied to {target}")
