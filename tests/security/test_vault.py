"""The vault over a store that a test takes away, a disk, and a clock that a test moves."""

import asyncio
import logging
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.credentials import Credentials, SealedCredentials
from domain.errors import CannotDecrypt, StoreUnavailable, UnknownCredentials
from security import vault as vault_module
from security.cache import CiphertextCache
from security.keyring import KeyRing
from security.vault import SealedVault

RING = KeyRing([b"k" * 32])


def credentials(secret: str = "canary-secret") -> Credentials:
    return Credentials(venue="binance", api_key=SecretStr("an-api-key"), secret=SecretStr(secret))


@dataclass
class FakeStore:
    """Sealed credentials in memory."""

    rows: dict[str, SealedCredentials] = field(default_factory=dict)
    away: bool = False
    silent: bool = False
    asked: int = 0

    async def get(self, name: str) -> SealedCredentials:
        self.asked += 1
        await asyncio.sleep(0)
        if self.silent:
            await asyncio.Event().wait()
        if self.away:
            raise StoreUnavailable("the database at db:5432/bots cannot be reached: refused")
        if name not in self.rows:
            raise UnknownCredentials(f"there are no credentials {name}")
        return self.rows[name]

    def put(self, secret: str = "canary-secret", *, ring: KeyRing = RING) -> None:
        self.rows["main"] = ring.seal("main", credentials(secret))


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> FakeStore:
    store = FakeStore()
    store.put()
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data/credentials"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def make_vault(store: FakeStore, folder: Path, clock: Clock | None = None, ring: KeyRing = RING) -> SealedVault:
    """Return the vault of a process that has just started."""
    return SealedVault(store, ring, CiphertextCache(folder), fresh_seconds=60, clock=clock or Clock())


async def test_the_store_is_asked_once_a_minute(store: FakeStore, folder: Path, clock: Clock) -> None:
    vault = make_vault(store, folder, clock)
    for _ in range(3):
        assert await vault.get("main") == credentials()
    clock.now += 59.9
    await vault.get("main")
    assert store.asked == 1
    clock.now += 0.1
    await vault.get("main")
    assert store.asked == 2


async def test_all_bots_of_an_account_ask_once_together(store: FakeStore, folder: Path) -> None:
    vault = make_vault(store, folder)
    got = await asyncio.gather(*(vault.get("main") for _ in range(50)))
    assert (got, store.asked) == ([credentials()] * 50, 1)


async def test_a_rotated_secret_is_seen_within_a_minute(store: FakeStore, folder: Path, clock: Clock) -> None:
    vault = make_vault(store, folder, clock)
    await vault.get("main")
    store.put("newer-secret")
    clock.now += 60
    assert await vault.get("main") == credentials("newer-secret")
    store.away = True
    assert await make_vault(store, folder).get("main") == credentials("newer-secret")


async def test_a_process_that_starts_without_a_database_uses_the_disk(
    store: FakeStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await make_vault(store, folder).get("main")
    store.away = True
    with caplog.at_level(logging.DEBUG):
        assert await make_vault(store, folder).get("main") == credentials()
    assert "credentials main are taken from this machine's disk: the database at db:5432/bots" in caplog.text


async def test_an_outage_is_not_waited_for_at_each_use(store: FakeStore, folder: Path, clock: Clock) -> None:
    vault = make_vault(store, folder, clock)
    await vault.get("main")
    store.away = True
    clock.now += 60
    for _ in range(5):
        assert await vault.get("main") == credentials()
    assert store.asked == 2
    store.away = False
    store.put("newer-secret")
    clock.now += 60
    assert await vault.get("main") == credentials("newer-secret")


async def test_a_database_that_does_not_answer_is_as_good_as_away(
    store: FakeStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_vault(store, folder).get("main")
    store.silent = True
    monkeypatch.setattr(vault_module, "_PATIENCE_SECONDS", 0.01)
    assert await make_vault(store, folder).get("main") == credentials()


async def test_without_database_and_disk_the_outage_is_told(store: FakeStore, folder: Path) -> None:
    store.away = True
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        await make_vault(store, folder).get("main")


async def test_removed_credentials_are_forgotten_on_disk_too(store: FakeStore, folder: Path, clock: Clock) -> None:
    vault = make_vault(store, folder, clock)
    await vault.get("main")
    store.rows.clear()
    clock.now += 60
    with pytest.raises(UnknownCredentials, match="there are no credentials main"):
        await vault.get("main")
    assert not (folder / "main.json").exists()
    store.away = True
    with pytest.raises(StoreUnavailable):
        await vault.get("main")


async def test_what_cannot_be_opened_replaces_nothing(store: FakeStore, folder: Path, clock: Clock) -> None:
    vault = make_vault(store, folder, clock)
    await vault.get("main")
    store.put(ring=KeyRing([b"a key that this worker never had!"[:32]]))
    clock.now += 60
    with pytest.raises(CannotDecrypt, match="this process knows 6344478a"):
        await vault.get("main")
    store.away = True
    assert await make_vault(store, folder).get("main") == credentials()


async def test_the_disk_holds_ciphertext_for_its_owner_alone(store: FakeStore, folder: Path) -> None:
    await make_vault(store, folder).get("main")
    file = folder / "main.json"
    assert (mode(file), mode(folder)) == (0o600, 0o700)
    content = file.read_text()
    assert SealedCredentials.model_validate_json(content) == store.rows["main"]
    assert "canary" not in content
    assert "an-api-key" not in content


async def test_a_file_moved_to_another_name_opens_nothing(store: FakeStore, folder: Path) -> None:
    await make_vault(store, folder).get("main")
    (folder / "other.json").write_text((folder / "main.json").read_text().replace('"main"', '"other"'))
    store.away = True
    with pytest.raises(CannotDecrypt, match="credentials other were altered"):
        await make_vault(store, folder).get("other")


@pytest.mark.parametrize("content", ["", "{", '{"name": "main"}', "\x00"], ids=["empty", "cut", "part", "noise"])
async def test_a_spoiled_file_is_as_good_as_none(
    store: FakeStore, folder: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / "main.json", content)
    assert await make_vault(store, folder).get("main") == credentials()
    assert "main.json cannot be used" in caplog.text
    store.away = True
    assert await make_vault(store, folder).get("main") == credentials()


async def test_a_disk_that_cannot_be_written_does_not_stop_trading(
    store: FakeStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder, "a file in the place of the folder")
    assert await make_vault(store, folder).get("main") == credentials()
    assert "main.json cannot be kept: " in caplog.text


@pytest.mark.parametrize("name", ["../main", "a/b", "", "Main", "main\n", "x" * 65])
async def test_a_name_that_nothing_can_have_reaches_neither_store_nor_disk(
    store: FakeStore, folder: Path, name: str
) -> None:
    with pytest.raises(UnknownCredentials, match="a name is 1 to 64 of a-z, 0-9, _ and -"):
        await make_vault(store, folder).get(name)
    assert store.asked == 0


async def test_nothing_that_the_vault_keeps_is_decrypted(store: FakeStore, folder: Path) -> None:
    vault = make_vault(store, folder)
    await vault.get("main")
    kept = repr(vars(vault))
    assert "SealedCredentials" in kept
    assert "canary" not in kept
