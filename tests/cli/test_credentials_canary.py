"""A secret is planted, everything that handles it is run, and then it is looked for in whatever was left behind."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.credentials import CredentialsRepository
from db.engine import make_engine
from domain.credentials import Credentials
from embedded.cluster import find_binaries
from security.cache import CiphertextCache
from security.key_file import key_file, load_ring
from security.vault import SealedVault
from tests.cli.helpers import Cli
from tests.cli.programs import ANY_PORTS, REPOSITORY, STARTER, program
from tests.support.bots import raw_config
from tests.support.canary import files_holding, holds
from tests.support.postgres import PostgresServer, fresh_database

API_KEY, SECRET, NEWER, PHRASE = "canary-key-4711", "canary-Secret/4711", "canary-Newer/4711", "canary phrase 4711"
OLD_RING, NEW_RING = (
    "Y2FuYXJ5IGtleSBvZiB0aGUgcmluZywgb2xkIG9uZSE=",
    "Y2FuYXJ5IGtleSBvZiB0aGUgcmluZywgbmV3IG9uZSE=",
)
PLANTED = (API_KEY, SECRET, NEWER, PHRASE, OLD_RING, NEW_RING, "canary key of the ring, old one!")


@pytest.fixture
async def talkative_database(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """A database whose server logs every statement with its parameters."""
    async with fresh_database(postgres_server) as url:
        connection = await asyncpg.connect(url, ssl=False)
        for setting in ("log_statement = 'all'", "log_parameter_max_length = -1"):
            await connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET {setting}")
        await connection.close()
        yield url


async def run_everything(cli: Cli, monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    """Run all commands, in good order and wrongly; return what they printed."""
    printed = ""

    async def say(*arguments: str, answer: str = "", code: int = 0) -> None:
        nonlocal printed
        outcome = await cli("credentials", *arguments, answer=answer)
        assert outcome.code == code, outcome.err
        printed += outcome.out + outcome.err

    okx = ("--venue", "okx", "--key", API_KEY, "--passphrase")
    both = f"{SECRET}\n{PHRASE}\n"
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", OLD_RING)
    await say("add", "holder", *okx, answer=both)
    await say("add", "holder", *okx, answer=both, code=1)
    await say("add", "other", *okx, answer=f"{SECRET} {SECRET}\n{PHRASE}\n", code=1)
    await say("add", "other", *okx, answer=f"{SECRET}\n{PHRASE}\n{PHRASE}\n", code=1)
    await say("add", "other", "--venue", "okxx", "--key", API_KEY, answer=SECRET, code=1)
    await say("rotate", "holder", "--key", API_KEY, "--passphrase", answer=f"{NEWER}\n{PHRASE}\n")
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", f"{NEW_RING},{OLD_RING}")
    await say("list")
    await say("reencrypt")
    await say("list", "--json")
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", f"{NEW_RING},{OLD_RING}{OLD_RING}")
    await say("reencrypt", code=1)
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", "postgresql://127.0.0.1:1/away")
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", f"{NEW_RING},{OLD_RING}")
    await say("add", "away", *okx, answer=both, code=1)
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", url)
    return printed


async def test_nothing_that_is_left_behind_holds_the_secret(
    *,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    postgres_server: PostgresServer,
    talkative_database: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", talkative_database)
    engine = make_engine(talkative_database)
    with caplog.at_level(logging.DEBUG):
        printed = await run_everything(cli, monkeypatch, talkative_database)
        await BotRepository(engine).create("one", raw_config("one", broker__credentials="holder"))
        outcome = await cli("credentials", "remove", "holder")
        opened = await use_in_a_worker(engine, tmp_path / "cache", postgres_server)
    await engine.dispose()
    assert opened.secret.get_secret_value() == NEWER
    dump = await dumped(talkative_database)
    told = (printed + outcome.out + outcome.err + caplog.text).encode()

    # What is looked into is what was written: the name is everywhere.
    assert outcome.code == 1
    home = postgres_server.home
    for content in (told, dump, (home / "server.log").read_bytes()):
        assert b"holder" in content
    assert files_holding(home / "postgres", "holder")
    assert files_holding(tmp_path / "cache", "holder")

    assert not holds(told, *PLANTED)
    assert not holds(dump, *PLANTED)
    assert files_holding(home, *PLANTED) == []
    assert files_holding(tmp_path, *PLANTED) == []


async def use_in_a_worker(engine: AsyncEngine, folder: Path, server: PostgresServer) -> Credentials:
    """Use the credentials as a worker does, and as one that starts while the database is away."""
    ring = load_ring(SecretStr(f"{NEW_RING},{OLD_RING}"), None)
    for away in (False, True):
        if away:
            server.stop()
        try:
            vault = SealedVault(CredentialsRepository(engine), ring, CiphertextCache(folder))
            credentials = await vault.get("holder")
            logging.getLogger("worker").error("a broker fails: %s %r", credentials, vars(vault), stack_info=True)
        finally:
            if away:
                server.start()
    return credentials


async def dumped(url: str) -> bytes:
    """Return the whole database as pg_dump writes it."""
    process = await asyncio.create_subprocess_exec(str(find_binaries() / "pg_dump"), url, stdout=PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


async def starter(env: Mapping[str, str], *arguments: str, answer: str = "") -> str:
    """Run a command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(STARTER), *arguments, env=env, cwd=REPOSITORY, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate(answer.encode())
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def test_on_a_laptop_up_makes_the_key_and_nothing_else_holds_the_secret() -> None:
    with TemporaryDirectory(prefix="steadyhand-") as folder:
        data_dir = Path(folder) / "data"
        env = {name: value for name, value in os.environ.items() if name != "STEADYHAND_SECRET_KEYS"}
        env |= {"STEADYHAND_DATA_DIR": str(data_dir)}
        async with program(str(STARTER), "up", *ANY_PORTS, env=env) as up:
            await up.says("^ready$")
            options = ("--venue", "binance", "--key", API_KEY)
            told = await starter(env, "credentials", "add", "holder", *options, answer=SECRET)
            told += await starter(env, "credentials", "list")
            up.process.send_signal(signal.SIGINT)
            assert await up.ends() == 0, up.text
        assert f"encrypted under key {load_ring(None, data_dir).newest}" in told
        assert "not among the keys here" not in told

        key = key_file(data_dir)
        assert key.stat().st_mode & 0o777 == 0o600
        assert files_holding(data_dir, key.read_text().strip()) == [str(key)]
        assert files_holding(data_dir / "postgres", "holder")
        assert files_holding(data_dir, SECRET, API_KEY) == []
        assert not holds((told + up.text).encode(), SECRET, API_KEY)
