"""The keys that encrypt stored credentials. The newest encrypts, all of them decrypt.

AES-256-GCM. Name and venue are authenticated with the ciphertext, so one that was copied to another row, or whose
row was pointed to another venue, opens nothing.
"""

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.credentials import Credentials, SealedCredentials
from domain.errors import CannotDecrypt
from security.errors import BadSecretKeys

VARIABLE = "STEADYHAND_SECRET_KEYS"

_KEY_BYTES = 32
_NONCE_BYTES = 12
_SEPARATORS = re.compile(r"[\s,]+")


class KeyRing:
    """Keys, the newest first. Empty, it opens and seals nothing, and says so when it is asked to.

    Args:
        keys: of 32 bytes each.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.key_ids)})"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys, the newest first."""
        return tuple(self._ciphers)

    @property
    def newest(self) -> str:
        """The id of the key that encrypts.

        Raises:
            BadSecretKeys: there is none.
        """
        if not self._ciphers:
            raise BadSecretKeys(
                f"there is no key to encrypt with: set {VARIABLE}, here and for every worker, to what "
                "`python starter.py credentials new-key` prints"
            )
        return self.key_ids[0]

    def seal(self, name: str, credentials: Credentials) -> SealedCredentials:
        """Encrypt credentials under the newest key.

        Raises:
            BadSecretKeys: there is none.
        """
        newest = self.newest
        nonce = os.urandom(_NONCE_BYTES)
        bound = _bound(name, credentials.venue)
        return SealedCredentials(
            name=name,
            venue=credentials.venue,
            api_key_hint=credentials.hint,
            key_id=newest,
            ciphertext=nonce + self._ciphers[newest].encrypt(nonce, _plaintext(credentials), bound),
        )

    def open(self, sealed: SealedCredentials) -> Credentials:
        """Decrypt credentials.

        Raises:
            CannotDecrypt: their key is not on this ring, or they are not what it encrypted.
        """
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            known = f"this process knows {', '.join(self.key_ids)}" if self._ciphers else "this process knows none"
            raise CannotDecrypt(
                f"credentials {sealed.name} are encrypted under key {sealed.key_id}, {known}: add that key to "
                f"{VARIABLE}, or store them again with `credentials rotate {sealed.name}`"
            )
        nonce, ciphertext = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
        try:
            plaintext = cipher.decrypt(nonce, ciphertext, _bound(sealed.name, sealed.venue))
        except (InvalidTag, ValueError):
            raise CannotDecrypt(
                f"credentials {sealed.name} were altered since they were encrypted, or belong to another name or "
                f"venue than {sealed.venue}; store them again with `credentials rotate {sealed.name}`"
            ) from None
        return Credentials(venue=sealed.venue, **json.loads(plaintext))


def parse_keys(text: str, *, source: str) -> list[bytes]:
    """Return the keys in a text: 32 bytes in base64 each, separated by commas or space.

    Args:
        source: where the text stands, for the message.

    Raises:
        BadSecretKeys: one of them is malformed.
    """
    words = [word for word in _SEPARATORS.split(text) if word]
    return [_key(word, f"{source}: key {number} of {len(words)}") for number, word in enumerate(words, 1)]


def new_key() -> str:
    """Return a new random key, as `parse_keys` reads it."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


def key_id(key: bytes) -> str:
    """Return the name of a key that may be shown: the beginning of a hash of it."""
    return hashlib.sha256(b"steadyhand key id\0" + key).hexdigest()[:8]


def _key(word: str, where: str) -> bytes:
    try:
        # Both alphabets of base64, with or without padding: `openssl rand -base64 32` makes a key too.
        plain = word.rstrip("=").replace("-", "+").replace("_", "/")
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise BadSecretKeys(
            f"{where} must be {_KEY_BYTES} bytes in base64, which are 44 characters; was {len(word)} characters"
            f"{f', {len(key)} bytes' if key else ' that are no base64'}"
        )
    return key


def _bound(name: str, venue: str) -> bytes:
    # Neither may hold a NUL; the number is that of this format.
    return f"steadyhand credentials 1\0{name}\0{venue}".encode()


def _plaintext(credentials: Credentials) -> bytes:
    parts = {
        "api_key": credentials.api_key,
        "secret": credentials.secret,
        "passphrase": credentials.passphrase,
    }
    return json.dumps({name: part.get_secret_value() for name, part in parts.items() if part is not None}).encode()
