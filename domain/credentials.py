"""The keys of an account at a venue, and the ports through which a broker gets them.

`Credentials` exist only in the process that signs with them, for as long as it does. What is stored, kept on disk and
sent anywhere is `SealedCredentials`, or the name alone.
"""

import re
from typing import Annotated, NoReturn, Protocol, TypeAlias

from pydantic import AfterValidator, ConfigDict, SecretStr

from domain.config_types import Slug, Venue
from domain.model import Model

_LONGEST = 10_000
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----\n[A-Za-z0-9+/=\n]+-----END [A-Z ]+-----")


def checked_secret(value: str) -> str:
    """Return what a venue can have issued: a word of printable ASCII, or a private key in PEM form.

    Raises:
        ValueError: it is neither. The message never holds the value.
    """
    _refuse_length(value)
    if not (_is_printable(value) and " " not in value) and not _PEM.fullmatch(value):
        raise ValueError(
            "must be one word of printable ASCII characters, or a private key in PEM form; "
            f"was {len(value)} characters with others among them, such as spaces or line breaks"
        )
    return value


def checked_passphrase(value: str) -> str:
    """Return what a person can have chosen at a venue: printable ASCII, with spaces inside at most.

    Raises:
        ValueError: it is something else. The message never holds the value.
    """
    _refuse_length(value)
    if not _is_printable(value) or value != value.strip():
        raise ValueError(
            "must be printable ASCII characters, without spaces around them; "
            f"was {len(value)} characters with others among them"
        )
    return value


def _refuse_length(value: str) -> None:
    if not value:
        raise ValueError("must not be empty")
    if len(value) > _LONGEST:
        raise ValueError(f"must have at most {_LONGEST} characters; had {len(value)}")


def _is_printable(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _secret(value: SecretStr) -> SecretStr:
    checked_secret(value.get_secret_value())
    return value


def _passphrase(value: SecretStr) -> SecretStr:
    checked_passphrase(value.get_secret_value())
    return value


Secret: TypeAlias = Annotated[SecretStr, AfterValidator(_secret)]
Passphrase: TypeAlias = Annotated[SecretStr, AfterValidator(_passphrase)]


class Credentials(Model):
    """What a broker signs with. Shown, dumped and compared freely: secrets appear as asterisks everywhere.

    They cannot be pickled, which would write them out.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    venue: Venue
    api_key: Secret
    secret: Secret
    passphrase: Passphrase | None = None

    @property
    def hint(self) -> str:
        """The ends of the API key, by which a person tells keys apart: at most half of it, four characters each."""
        key = self.api_key.get_secret_value()
        shown = min(4, len(key) // 4)
        return f"{key[:shown]}…{key[len(key) - shown :]}"

    def __getstate__(self) -> NoReturn:
        raise TypeError("credentials stay in the memory of their process; pass on their name instead")


class SealedCredentials(Model):
    """Credentials as they rest: without the key that `key_id` names, nobody can read them.

    Attributes:
        api_key_hint: see `Credentials.hint`.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    name: Slug
    venue: Venue
    api_key_hint: str
    key_id: str
    ciphertext: bytes


class CredentialStore(Protocol):
    """Where sealed credentials are kept."""

    async def get(self, name: str) -> SealedCredentials:
        """Return the credentials of a name.

        Raises:
            UnknownCredentials: there are none.
            StoreUnavailable: the database cannot be reached.
        """
        ...


class Vault(Protocol):
    """Opens credentials, for those who sign with them."""

    async def get(self, name: str) -> Credentials:
        """Return the credentials that a configuration names in `broker.credentials`.

        Ask again for each use, and keep nothing longer: they may be rotated or removed at any time.

        Raises:
            UnknownCredentials: there are none.
            CannotDecrypt: no key of this process opens them.
            StoreUnavailable: the database cannot be reached, and this machine has never used them.
        """
        ...
