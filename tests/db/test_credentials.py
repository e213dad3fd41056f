import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.credentials import CredentialsRepository
from db.errors import CredentialsExist, CredentialsInUse
from db.reads import Reads
from domain.accounts import KeyState
from domain.credentials import SealedCredentials
from domain.errors import StoreUnavailable, UnknownCredentials
from tests.db.samples import config
from tests.support.postgres import PostgresServer, Sql


@pytest.fixture
def credentials(engine: AsyncEngine) -> CredentialsRepository:
    return CredentialsRepository(engine)


def sealed(name: str = "main", ciphertext: bytes = b"\x00\xff opaque", **changes: Any) -> SealedCredentials:
    fields = {"venue": "binance", "api_key_hint": "vmPU…Eh8A", "key_id": "6344478a"} | changes
    return SealedCredentials(name=name, ciphertext=ciphertext, **fields)


async def bot_with(
    bots: BotRepository, bot_id: str, credentials: str | None, *, enabled: bool = True, mode: str = "paper"
) -> None:
    document = config(bot_id, enabled=enabled)
    document["broker"] |= {"credentials": credentials, "trading_mode": mode}
    await bots.create(bot_id, document)


async def test_what_was_added_is_read_back_byte_for_byte(credentials: CredentialsRepository) -> None:
    every_byte = sealed(ciphertext=bytes(range(256)))
    await credentials.add(every_byte)
    assert await credentials.get("main") == every_byte


async def test_a_name_is_given_once(credentials: CredentialsRepository) -> None:
    await credentials.add(sealed())
    with pytest.raises(CredentialsExist, match="credentials main already; choose another name, or replace"):
        await credentials.add(sealed(ciphertext=b"other"))
    assert await credentials.get("main") == sealed()


async def test_unknown_credentials_are_said_to_be_unknown(credentials: CredentialsRepository) -> None:
    calls = [credentials.get("main"), credentials.rotate(sealed()), credentials.remove("main", force=True)]
    for call in calls:
        with pytest.raises(UnknownCredentials, match="there are no credentials main"):
            await call


async def test_the_list_says_who_uses_what(credentials: CredentialsRepository, bots: BotRepository) -> None:
    for name in ("b", "a", "c"):
        await credentials.add(sealed(name), owner="ada" if name == "c" else "local")
    await bot_with(bots, "two", "a")
    await bot_with(bots, "one", "a")
    await bot_with(bots, "off", "a", enabled=False)
    await bot_with(bots, "none", None)
    records = await credentials.list_records()
    assert [(record.name, record.owner_id, record.bots) for record in records] == [
        ("a", "local", ("one", "two")),
        ("b", "local", ()),
        ("c", "ada", ()),
    ]
    [record, *_] = records
    assert (record.venue, record.api_key_hint, record.key_id) == ("binance", "vmPU…Eh8A", "6344478a")
    assert record.created_at == record.updated_at
    assert record.created_at.utcoffset() == timedelta(0)
    assert record.rotated_at is None


async def test_a_rotation_replaces_the_secret_and_its_moment(credentials: CredentialsRepository) -> None:
    await credentials.add(sealed(), owner="ada")
    newer = sealed(ciphertext=b"newer", api_key_hint="abcd…wxyz", key_id="9c2200da")
    await credentials.rotate(newer)
    assert await credentials.get("main") == newer
    [record] = await credentials.list_records()
    assert (record.owner_id, record.api_key_hint, record.key_id) == ("ada", "abcd…wxyz", "9c2200da")
    assert record.rotated_at == record.updated_at
    assert record.updated_at > record.created_at


async def test_a_rotation_does_not_move_keys_to_another_venue(credentials: CredentialsRepository) -> None:
    await credentials.add(sealed())
    with pytest.raises(UnknownCredentials):
        await credentials.rotate(sealed(venue="okx"))
    assert await credentials.get("main") == sealed()


async def test_another_key_is_no_rotation(credentials: CredentialsRepository) -> None:
    await credentials.add(sealed())
    after = sealed(ciphertext=b"under another key", key_id="9c2200da")
    assert await credentials.reseal(sealed(), after) is True
    assert await credentials.get("main") == after
    [record] = await credentials.list_records()
    assert record.rotated_at is None
    assert record.updated_at > record.created_at


async def test_a_rotation_in_between_is_not_undone_by_another_key(credentials: CredentialsRepository) -> None:
    await credentials.add(sealed())
    newer = sealed(ciphertext=b"newer")
    await credentials.rotate(newer)
    assert await credentials.reseal(sealed(), sealed(ciphertext=b"the old secret", key_id="9c2200da")) is False
    assert await credentials.get("main") == newer


async def test_credentials_of_enabled_bots_are_not_removed(
    credentials: CredentialsRepository, bots: BotRepository
) -> None:
    await credentials.add(sealed())
    await credentials.add(sealed("other"))
    for bot_id in ("two", "one"):
        await bot_with(bots, bot_id, "main")
    with pytest.raises(
        CredentialsInUse, match="main are used by enabled bots: one, two; disable these first, or force it"
    ):
        await credentials.remove("main")
    assert await credentials.get("main") == sealed()
    await credentials.remove("other")
    assert [record.name for record in await credentials.list_records()] == ["main"]


async def test_they_are_once_the_bots_are_disabled(credentials: CredentialsRepository, bots: BotRepository) -> None:
    await credentials.add(sealed())
    await bot_with(bots, "one", "main")
    await bots.set_enabled("one", False)
    await credentials.remove("main")
    assert await credentials.list_records() == []


async def test_or_by_force(credentials: CredentialsRepository, bots: BotRepository) -> None:
    await credentials.add(sealed())
    await bot_with(bots, "one", "main")
    await credentials.remove("main", force=True)
    assert await credentials.list_records() == []


async def test_a_name_that_is_no_slug_is_refused_by_the_table_too(sql: Sql) -> None:
    with pytest.raises(Exception, match="ck_broker_credentials_name"):
        await sql.execute("INSERT INTO broker_credentials VALUES ('../x', 'local', 'binance', '', '', '')")


async def test_an_outage_is_said(credentials: CredentialsRepository, postgres_server: PostgresServer) -> None:
    await credentials.add(sealed())
    postgres_server.stop()
    try:
        calls = (credentials.get("main"), credentials.list_records(), credentials.add(sealed("b")))
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(outcome, StoreUnavailable)
    finally:
        postgres_server.start()
    assert await credentials.get("main") == sealed()


REFUSED, ACCEPTED = KeyState(refused="Invalid\0 API-key", orders=False), KeyState(refused=None, orders=False)


async def events_of(engine: AsyncEngine, bot_id: str) -> list[str]:
    return [event.type for event in reversed(await Reads(engine).events(bot_id))]


async def test_a_refusal_is_news_once_and_shows_in_the_bots_of_the_keys(
    credentials: CredentialsRepository, bots: BotRepository, engine: AsyncEngine
) -> None:
    await credentials.add(sealed(), owner="ada")
    for bot_id, keys in (("one", "main"), ("other", "else")):
        await bot_with(bots, bot_id, keys, mode="live")
    assert await credentials.note("main", ACCEPTED) is None
    assert [await credentials.note("main", REFUSED) for _ in range(2)] == ["ada", None]
    assert [(await bots.overview(bot_id)).refused for bot_id in ("one", "other")] == ["Invalid\ufffd API-key", None]
    assert [await credentials.note("main", ACCEPTED) for _ in range(2)] == ["ada", None]
    assert (await bots.overview("one")).refused is None
    assert await events_of(engine, "one") == ["account_refused", "account_accepted"]
    assert await events_of(engine, "other") == []


async def test_what_was_refused_to_an_order_no_read_takes_back(credentials: CredentialsRepository) -> None:
    await credentials.add(sealed(), owner="ada")
    await credentials.note("main", KeyState(refused="no right to trade", orders=True))
    assert await credentials.note("main", ACCEPTED) is None
    assert await credentials.note("main", KeyState(refused=None, orders=True)) == "ada"


async def test_of_other_keys_nothing_is_known(credentials: CredentialsRepository, bots: BotRepository) -> None:
    await credentials.add(sealed())
    await bot_with(bots, "one", "main", mode="live")
    await credentials.note("main", REFUSED)
    await credentials.rotate(sealed(ciphertext=b"newer"))
    assert (await bots.overview("one")).refused is None
