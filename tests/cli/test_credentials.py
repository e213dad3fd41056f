from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.credentials import CredentialsRepository
from domain.credentials import Credentials
from security.key_file import load_ring
from security.keyring import parse_keys
from tests.cli.helpers import Cli, Outcome
from tests.support.bots import raw_config

# The keys of tests/security/test_key_ring.py, and their ids.
OLD, NEW = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
OLD_ID, NEW_ID = "9c2200da", "6344478a"
KEY, SECRET, PHRASE = "an-api-key-0123456789", "canary-secret", "canary phrase"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIcanary+/=\nAwEHoUQDQgAE\n-----END EC PRIVATE KEY-----"


@pytest.fixture(autouse=True)
def environment_keys(no_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", NEW)


@pytest.fixture
def stored(engine: AsyncEngine) -> CredentialsRepository:
    return CredentialsRepository(engine)


async def opened(stored: CredentialsRepository, name: str = "main", keys: str = NEW) -> Credentials:
    return load_ring(SecretStr(keys), None).open(await stored.get(name))


async def add(cli: Cli, *options: str, answer: str | bytes = f"{SECRET}\n", venue: str = "binance") -> Outcome:
    outcome = await cli("credentials", "add", "main", "--venue", venue, "--key", KEY, *options, answer=answer)
    assert "canary" not in outcome.out + outcome.err
    return outcome


async def added(cli: Cli, *options: str, answer: str = f"{SECRET}\n", venue: str = "binance") -> None:
    outcome = await add(cli, *options, answer=answer, venue=venue)
    assert outcome.code == 0, outcome.err


def made_of(secret: str, passphrase: str | None = None, venue: str = "binance") -> Credentials:
    phrase = SecretStr(passphrase) if passphrase else None
    return Credentials(venue=venue, api_key=SecretStr(KEY), secret=SecretStr(secret), passphrase=phrase)


async def test_a_secret_from_standard_input_is_stored_encrypted(cli: Cli, stored: CredentialsRepository) -> None:
    outcome = await add(cli)
    assert outcome.code == 0, outcome.err
    assert outcome.out == (
        f"stored main for binance, encrypted under key {NEW_ID}. A bot uses it by broker.credentials: main\n"
    )
    assert await opened(stored) == made_of(SECRET)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param(SECRET, SECRET, id="no-line-break"),
        pytest.param(f"{SECRET}\n", SECRET, id="line-break"),
        pytest.param(f"{SECRET}\r\n", SECRET, id="of-windows"),
        pytest.param(f"{PEM}\n", PEM, id="private-key"),
        pytest.param(f"{PEM}\n".replace("\n", "\r\n"), PEM, id="private-key-of-windows"),
    ],
)
async def test_the_end_of_the_line_is_no_part_of_the_secret(
    cli: Cli, stored: CredentialsRepository, text: str, secret: str
) -> None:
    outcome = await add(cli, answer=text)
    assert outcome.code == 0, outcome.err
    assert await opened(stored) == made_of(secret)


@pytest.mark.parametrize("secret", [SECRET, PEM], ids=["word", "private-key"])
async def test_a_passphrase_is_the_line_after_the_secret(cli: Cli, stored: CredentialsRepository, secret: str) -> None:
    outcome = await add(cli, "--passphrase", answer=f"{secret}\n{PHRASE}\n", venue="okx")
    assert outcome.code == 0, outcome.err
    assert await opened(stored) == made_of(secret, PHRASE, "okx")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "the secret must not be empty", id="nothing"),
        pytest.param("\n", "the secret must not be empty", id="empty-line"),
        pytest.param("canary canary\n", "was 13 characters with others among them, such as spaces", id="spaces"),
        pytest.param("canary\u200bcanary", "was 13 characters with others among them", id="invisible"),
        pytest.param(b"canary\xff\xfe", "was 8 characters with others among them", id="no-text"),
        pytest.param("canary\x1b[A", "was 9 characters with others among them", id="arrow-key"),
        pytest.param("canary\ncanary\n", "must hold the secret, one line each; it held 2 lines", id="two-lines"),
        pytest.param("canary" * 2000, "must have at most 10000 characters; had 12000", id="long"),
        pytest.param("-----BEGIN canary\ncanary\n", "it held 2 lines", id="half-a-private-key"),
    ],
)
async def test_what_can_be_no_secret_is_refused_without_showing_it(
    cli: Cli, stored: CredentialsRepository, text: str | bytes, message: str
) -> None:
    outcome = await add(cli, answer=text)
    assert outcome.code == 1
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert await stored.list_records() == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (f"{SECRET}\n", "must hold the secret and the passphrase, one line each; it held 1 line"),
        (f"{SECRET}\n canary\n", "the passphrase must be printable ASCII characters, without spaces around them"),
    ],
)
async def test_a_passphrase_that_is_missing_or_none_is_refused(cli: Cli, answer: str, message: str) -> None:
    outcome = await add(cli, "--passphrase", answer=answer, venue="okx")
    assert outcome.code == 1
    assert message in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("main", "--venue", "binanse"), "--venue must be an exchange id of ccxt; was 'binanse'; did you mean binance"),
        (("main", "--venue", "q9"), "was 'q9'; expected one such as binance, kraken or okx"),
        (("Main!", "--venue", "binance"), "NAME must be 1 to 64 of the characters a-z, 0-9, _ and -; was 'Main!'"),
        (("main", "--venue", "okx"), "keys of okx have a passphrase: add --passphrase"),
        (("main", "--venue", "hyperliquid"), "hyperliquid cannot be used: it signs with privateKey, walletAddress;"),
    ],
)
async def test_a_bad_argument_is_told_before_a_secret_is_read(
    cli: Cli, arguments: tuple[str, ...], message: str
) -> None:
    outcome = await cli("credentials", "add", *arguments, "--key", KEY, answer="")
    assert outcome.code == 1
    assert message in outcome.err


async def test_a_bad_api_key_is_refused(cli: Cli) -> None:
    outcome = await cli("credentials", "add", "main", "--venue", "binance", "--key", "two words", answer=SECRET)
    assert outcome.code == 1
    assert outcome.err.startswith("error: --key must be one word of printable ASCII characters")


async def test_a_name_is_given_once(cli: Cli, stored: CredentialsRepository) -> None:
    await added(cli)
    outcome = await add(cli, answer="another-canary\n")
    assert outcome.code == 1
    assert "there are credentials main already; choose another name" in outcome.err
    assert await opened(stored) == made_of(SECRET)


async def test_without_a_key_nothing_is_stored_and_the_way_to_one_is_shown(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEADYHAND_SECRET_KEYS")
    outcome = await add(cli)
    assert outcome.code == 1
    assert outcome.err == (
        "error: there is no key to encrypt with: set STEADYHAND_SECRET_KEYS, here and for every worker, to what "
        "`python starter.py credentials new-key` prints\n"
    )


async def test_a_key_file_does_not_count_for_a_database_of_others(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("STEADYHAND_SECRET_KEYS")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/secret.keys").write_text(NEW)
    assert (await add(cli)).code == 1


async def test_a_malformed_key_is_told_and_not_shown(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", f"{NEW},canary")
    outcome = await add(cli)
    assert outcome.code == 1
    assert outcome.err.startswith("error: STEADYHAND_SECRET_KEYS: key 2 of 2 must be 32 bytes in base64")


async def test_a_new_key_is_all_that_is_printed(cli: Cli) -> None:
    first, second = await cli("credentials", "new-key"), await cli("credentials", "new-key")
    assert first.code == 0
    assert first.out != second.out
    assert [len(key) for key in parse_keys(first.out, source="X")] == [32]


async def test_the_list_shows_whose_keys_there_are(cli: Cli, rows: BotRepository) -> None:
    assert "There are no credentials yet" in (await cli("credentials", "list")).out
    await added(cli)
    await rows.create("one", raw_config("one", broker__credentials="main"))
    outcome = await cli("credentials", "list")
    [line] = [line for line in outcome.out.splitlines() if line.strip().startswith("main")]
    words = line.split()
    assert words[:4] == ["main", "binance", "an-a…6789", NEW_ID]
    assert words[-2:] == ["—", "one"]
    assert KEY not in outcome.out


async def test_the_list_as_json_has_every_field_but_the_ciphertext(cli: Cli) -> None:
    await added(cli)
    [record] = (await cli("credentials", "list", "--json")).json
    moments = {record.pop("created_at"), record.pop("updated_at")}
    assert len(moments) == 1
    assert record == {
        "name": "main",
        "owner_id": "local",
        "venue": "binance",
        "api_key_hint": "an-a…6789",
        "key_id": NEW_ID,
        "rotated_at": None,
        "bots": [],
    }


@pytest.mark.parametrize(
    ("keys", "remark"), [(f"{OLD},{NEW}", f"{NEW_ID}, an older key"), (OLD, f"{NEW_ID}, not among the keys here")]
)
async def test_the_list_says_which_key_is_not_the_newest(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, keys: str, remark: str
) -> None:
    await added(cli)
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", keys)
    assert remark in (await cli("credentials", "list")).out


async def test_rotating_replaces_key_and_secret(cli: Cli, stored: CredentialsRepository) -> None:
    await added(cli)
    outcome = await cli("credentials", "rotate", "main", "--key", "newer-key", answer="newer-canary\n")
    assert outcome.code == 0, outcome.err
    assert "canary" not in outcome.out
    assert "Delete the old key at the venue" in outcome.out
    found = await opened(stored)
    assert (found.api_key.get_secret_value(), found.secret.get_secret_value()) == ("newer-key", "newer-canary")


async def test_rotating_what_is_not_there_asks_for_no_secret(cli: Cli) -> None:
    outcome = await cli("credentials", "rotate", "main", "--key", KEY, answer="")
    assert outcome.code == 1
    assert outcome.err == "error: there are no credentials main; `credentials list` shows those there are\n"


async def test_rotating_asks_for_the_passphrase_that_the_venue_needs(cli: Cli) -> None:
    await added(cli, "--passphrase", answer=f"{SECRET}\n{PHRASE}\n", venue="okx")
    outcome = await cli("credentials", "rotate", "main", "--key", KEY, answer=f"{SECRET}\n")
    assert outcome.code == 1
    assert "add --passphrase" in outcome.err


async def test_reencrypting_leaves_secrets_and_needs_the_old_key_no_more(
    cli: Cli, stored: CredentialsRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", OLD)
    await added(cli)
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", f"{NEW},{OLD}")
    outcome = await cli("credentials", "reencrypt")
    assert (outcome.code, outcome.out) == (0, f"re-encrypted 1 under key {NEW_ID}; 0 were already\n")
    assert await opened(stored, keys=NEW) == made_of(SECRET)
    outcome = await cli("credentials", "reencrypt")
    assert (outcome.code, outcome.out) == (0, f"re-encrypted 0 under key {NEW_ID}; 1 were already\n")


async def test_reencrypting_goes_on_past_what_cannot_be_opened(
    cli: Cli, stored: CredentialsRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    await added(cli)
    lost = load_ring(SecretStr("MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="), None)
    await stored.add(lost.seal("lost", made_of(SECRET)))
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", f"{OLD},{NEW}")
    outcome = await cli("credentials", "reencrypt")
    assert outcome.code == 1
    assert f"re-encrypted 1 under key {OLD_ID}" in outcome.out
    assert f"credentials lost are encrypted under key {lost.newest}" in outcome.err
    assert f"1 of 2 credentials are not under key {OLD_ID}; keep the older keys" in outcome.err
    assert await opened(stored, keys=OLD) == made_of(SECRET)


async def test_what_a_bot_uses_is_removed_by_force_only(
    cli: Cli, rows: BotRepository, stored: CredentialsRepository
) -> None:
    await added(cli)
    await rows.create("one", raw_config("one", broker__credentials="main"))
    outcome = await cli("credentials", "remove", "main")
    assert outcome.code == 1
    assert "main are used by enabled bots: one" in outcome.err
    outcome = await cli("credentials", "remove", "main", "--force")
    assert outcome.code == 0
    assert await stored.list_records() == []


async def test_every_command_explains_itself() -> None:
    from cli.credentials.app import COMMANDS

    help_text = (await Cli()("credentials", "--help")).out
    for name in COMMANDS:
        assert f" {name} " in help_text
        assert "Usage:" in (await Cli()("credentials", name, "--help")).out
