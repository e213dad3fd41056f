"""The hidden prompt, on a terminal of its own."""

import asyncio
import getpass
import io
import os
import pty
import sys
import warnings

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cli.credentials.asking import ask_secrets
from cli.output import CliError
from db.credentials import CredentialsRepository
from security.keyring import KeyRing
from tests.cli.programs import REPOSITORY, STARTER

KEY_TEXT, KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=", b"k" * 32


async def reads(terminal: int, text: str) -> str:
    """Read what the terminal shows, until it shows `text`."""
    shown = ""
    async with asyncio.timeout(30):
        while text not in shown:
            shown += (await asyncio.to_thread(os.read, terminal, 1000)).decode()
    return shown


@pytest.mark.skipif(sys.platform == "win32", reason="has no such terminals")
async def test_what_is_typed_is_not_shown(engine: AsyncEngine, database_url: str) -> None:
    terminal, other_end = pty.openpty()
    env = dict(os.environ) | {"STEADYHAND_DATABASE_URL": database_url, "STEADYHAND_SECRET_KEYS": KEY_TEXT}
    arguments = ("credentials", "add", "main", "--venue", "okx", "--key", "an-api-key", "--passphrase")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(STARTER),
        *arguments,
        env=env,
        cwd=REPOSITORY,
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
    )
    try:
        shown = await reads(terminal, "secret: ")
        os.write(terminal, b"canary-secret\n")
        shown += await reads(terminal, "passphrase: ")
        os.write(terminal, b"canary phrase\n")
        shown += await reads(terminal, "broker.credentials: main")
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(terminal)
        os.close(other_end)
    assert "canary" not in shown
    found = KeyRing([KEY]).open(await CredentialsRepository(engine).get("main"))
    assert found.secret.get_secret_value() == "canary-secret"
    assert found.passphrase is not None
    assert found.passphrase.get_secret_value() == "canary phrase"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shows_what_is_typed(prompt: str) -> str:
    """Do as getpass does where it cannot turn the echo off."""
    warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
    return "canary-secret"


def test_a_terminal_that_cannot_hide_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", shows_what_is_typed)
    with pytest.raises(CliError, match="this terminal cannot hide what is typed; give the secret by standard input"):
        ask_secrets(passphrase=False)
