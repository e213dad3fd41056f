"""The account that PostgreSQL runs under: it refuses to run as root, so root runs it as somebody else."""

import contextlib
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import EmbeddedError

# The name that the bundled server's own Python package uses, so that both agree on one machine.
ACCOUNT_NAME = "pgserver"


@dataclass(frozen=True)
class Account:
    """A system account to run a child under."""

    name: str
    uid: int
    gid: int


def database_account(cluster: Path) -> Account | None:
    """Return the account to run PostgreSQL under; None keeps our own, which is right for everybody but root.

    An existing cluster keeps its owner. Otherwise `pgserver` is used, created if need be, else `nobody`.

    Raises:
        EmbeddedError: root, and none of these accounts exists.
    """
    if os.geteuid() != 0:
        return None
    if cluster.is_dir() and (owner := cluster.stat().st_uid) != 0:
        return _account_of(owner) or _missing(f"user id {owner}, which owns {cluster}")
    return _named(ACCOUNT_NAME) or _created(ACCOUNT_NAME) or _named("nobody") or _missing(ACCOUNT_NAME)


def make_reachable(path: Path, account: Account) -> list[Path]:
    """Let `account` pass through the folders above `path`; return those that had to be opened.

    Only the right to traverse is added, not to list. Without it a server that runs as another account cannot reach
    files below a private folder, such as root's home or a temporary folder.

    Raises:
        EmbeddedError: a folder cannot be opened.
    """
    opened = []
    for folder in path.resolve().parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not _may_traverse(folder, account):
            try:
                folder.chmod(mode | stat.S_IXOTH)
            except OSError as error:
                raise EmbeddedError(
                    f"PostgreSQL's account {account.name} may not pass through {folder}, which leads to {path}, and "
                    f"that cannot be changed ({error.strerror}); choose another --data-dir"
                ) from error
            opened.append(folder)
    return opened


def make_readable(tree: Path) -> None:
    """Let everybody read a tree of program files, as an installation under a strict umask leaves it private."""
    for path in _walk(tree):
        mode = stat.S_IMODE(path.stat().st_mode)
        execute = stat.S_IXOTH if path.is_dir() or mode & stat.S_IXUSR else 0
        if mode | stat.S_IROTH | execute != mode:
            path.chmod(mode | stat.S_IROTH | execute)


def _walk(tree: Path) -> Iterator[Path]:
    yield tree
    for folder, folders, files in os.walk(tree):
        yield from (path for name in (*folders, *files) if not (path := Path(folder, name)).is_symlink())


def _may_traverse(folder: Path, account: Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _account_of(uid: int) -> Account | None:
    try:
        return _named(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return None


def _created(name: str) -> Account | None:
    command = [
        "useradd",
        "--system",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        name,
    ]
    # No such program, a read-only /etc, or another start made it at the same moment: the look-up tells.
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(command, check=True, capture_output=True, timeout=30)  # noqa: S603 - a fixed command
    return _named(name)


def _missing(what: str) -> Account:
    raise EmbeddedError(
        f"PostgreSQL refuses to run as root and there is no account for {what}; "
        "run as an ordinary user, or give --database-url"
    )
