"""The ring against AES-GCM as `cryptography`'s lower level has it, and against everything that can be wrong."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import SecretStr

from domain.credentials import Credentials, SealedCredentials
from domain.errors import CannotDecrypt
from security.errors import BadSecretKeys
from security.keyring import KeyRing, new_key, parse_keys

OLD, NEW = bytes(range(32)), b"k" * 32
# By `printf 'steadyhand key id\0...' | sha256sum`.
OLD_ID, NEW_ID = "9c2200da", "6344478a"
NONCE = b"twelve bytes"
BOUND = b"steadyhand credentials 1\0main\0okx"
PLAIN = {"api_key": "AKEY-0123456789", "secret": "canary-secret", "passphrase": "open sesame"}
CREDENTIALS = Credentials(
    venue="okx",
    api_key=SecretStr("AKEY-0123456789"),
    secret=SecretStr("canary-secret"),
    passphrase=SecretStr("open sesame"),
)


def sealed_by_hand(key: bytes = OLD, key_id: str = OLD_ID, bound: bytes = BOUND) -> SealedCredentials:
    encryptor = Cipher(algorithms.AES(key), modes.GCM(NONCE)).encryptor()
    encryptor.authenticate_additional_data(bound)
    body = encryptor.update(json.dumps(PLAIN).encode()) + encryptor.finalize()
    return SealedCredentials(
        name="main", venue="okx", api_key_hint="AKE…789", key_id=key_id, ciphertext=NONCE + body + encryptor.tag
    )


def opened_by_hand(sealed: SealedCredentials, key: bytes) -> dict[str, str]:
    nonce, body, tag = sealed.ciphertext[:12], sealed.ciphertext[12:-16], sealed.ciphertext[-16:]
    decryptor = Cipher(algorithms.AES(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(BOUND)
    plain: dict[str, str] = json.loads(decryptor.update(body) + decryptor.finalize())
    return plain


def test_what_was_encrypted_elsewhere_is_opened() -> None:
    assert KeyRing([OLD]).open(sealed_by_hand()) == CREDENTIALS


def test_what_is_sealed_is_opened_elsewhere() -> None:
    sealed = KeyRing([NEW, OLD]).seal("main", CREDENTIALS)
    assert (sealed.name, sealed.venue, sealed.key_id, sealed.api_key_hint) == ("main", "okx", NEW_ID, "AKE…789")
    assert opened_by_hand(sealed, NEW) == PLAIN


def test_credentials_without_a_passphrase_come_back_without_one() -> None:
    ring, bare = KeyRing([OLD]), CREDENTIALS.model_copy(update={"passphrase": None})
    assert ring.open(ring.seal("main", bare)) == bare


def test_the_same_secret_never_looks_the_same() -> None:
    ring = KeyRing([OLD])
    assert len({ring.seal("main", CREDENTIALS).ciphertext[:12] for _ in range(100)}) == 100


def test_an_older_key_opens_and_the_newest_encrypts() -> None:
    ring = KeyRing([NEW, OLD])
    assert (ring.newest, ring.key_ids) == (NEW_ID, (NEW_ID, OLD_ID))
    resealed = ring.seal("main", ring.open(sealed_by_hand()))
    assert KeyRing([NEW]).open(resealed) == CREDENTIALS


def test_a_key_that_is_not_on_the_ring_is_named() -> None:
    with pytest.raises(CannotDecrypt, match=f"credentials main are encrypted under key {OLD_ID}, this process knows "):
        KeyRing([NEW]).open(sealed_by_hand())
    with pytest.raises(CannotDecrypt, match="knows none: add that key to STEADYHAND_SECRET_KEYS"):
        KeyRing([]).open(sealed_by_hand())


@pytest.mark.parametrize("place", [0, 11, 12, 40, -17, -16, -1], ids=str)
def test_one_altered_bit_anywhere_opens_nothing(place: int) -> None:
    sealed = sealed_by_hand()
    altered = bytearray(sealed.ciphertext)
    altered[place] ^= 1
    with pytest.raises(CannotDecrypt, match="main were altered"):
        KeyRing([OLD]).open(sealed.model_copy(update={"ciphertext": bytes(altered)}))


@pytest.mark.parametrize("length", [0, 5, 12, 20, 28])
def test_a_ciphertext_that_was_cut_opens_nothing(length: int) -> None:
    sealed = sealed_by_hand()
    with pytest.raises(CannotDecrypt, match="main were altered"):
        KeyRing([OLD]).open(sealed.model_copy(update={"ciphertext": sealed.ciphertext[:length]}))


@pytest.mark.parametrize("change", [{"name": "other"}, {"venue": "binance"}], ids=["name", "venue"])
def test_a_ciphertext_copied_to_another_row_or_venue_opens_nothing(change: dict[str, str]) -> None:
    with pytest.raises(CannotDecrypt, match="belong to another name or venue"):
        KeyRing([OLD]).open(sealed_by_hand().model_copy(update=change))


def test_another_key_under_the_same_id_opens_nothing() -> None:
    with pytest.raises(CannotDecrypt, match="main were altered"):
        KeyRing([NEW]).open(sealed_by_hand(OLD, NEW_ID))


def test_an_empty_ring_says_how_to_make_a_key() -> None:
    with pytest.raises(BadSecretKeys, match=r"set STEADYHAND_SECRET_KEYS, .* `python starter.py credentials new-key`"):
        KeyRing([]).seal("main", CREDENTIALS)


OLD_TEXT, NEW_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{NEW_TEXT},{OLD_TEXT}", id="commas"),
        pytest.param(f" {NEW_TEXT}, {OLD_TEXT},\n", id="spaces-and-a-last-comma"),
        pytest.param(f"{NEW_TEXT}\n{OLD_TEXT}\n", id="lines"),
        pytest.param(f"{NEW_TEXT},{OLD_TEXT}".replace("=", ""), id="without-padding"),
    ],
)
def test_keys_are_separated_by_commas_or_space(text: str) -> None:
    assert parse_keys(text, source="X") == [NEW, OLD]


def test_both_alphabets_of_base64_are_read() -> None:
    key = b"\xfb\xff" * 16
    assert parse_keys(base64.b64encode(key).decode(), source="X") == [key]
    assert parse_keys(base64.urlsafe_b64encode(key).decode(), source="X") == [key]


def test_nothing_is_no_key() -> None:
    assert parse_keys(" ,\n", source="X") == []


@pytest.mark.parametrize(
    ("word", "found"),
    [
        pytest.param("c2hvcnQtY2FuYXJ5", "16 characters, 12 bytes", id="short"),
        pytest.param(NEW_TEXT[:-1] + NEW_TEXT, "87 characters", id="two-in-one"),
        pytest.param("canary-canary?!", "15 characters that are no base64", id="no-base64"),
    ],
)
def test_a_malformed_key_is_told_by_its_place_and_size_and_never_shown(word: str, found: str) -> None:
    with pytest.raises(BadSecretKeys) as caught:
        parse_keys(f"{NEW_TEXT},{word}", source="STEADYHAND_SECRET_KEYS")
    text = str(caught.value)
    assert text.startswith("STEADYHAND_SECRET_KEYS: key 2 of 2 must be 32 bytes in base64, which are 44 characters; ")
    assert f"was {found}" in text
    assert word not in text


def test_a_new_key_is_another_each_time_and_can_be_used() -> None:
    keys = [new_key() for _ in range(10)]
    assert len(set(keys)) == 10
    assert {len(key) for key in parse_keys(",".join(keys), source="X")} == {32}
