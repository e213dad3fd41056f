"""Where the keys come from: the environment, and on a laptop a file that `up` makes."""

from pathlib import Path

from pydantic import SecretStr

from security.errors import BadSecretKeys
from security.files import write_private
from security.keyring import VARIABLE, KeyRing, new_key, parse_keys

_FILE = "secret.keys"


def load_ring(variable: SecretStr | None, data_dir: Path | None) -> KeyRing:
    """Return the keys of the environment, then those of the data directory's file, each the newest first.

    Both count, so that whoever sets the variable on a laptop later can still open what was encrypted before.

    Args:
        variable: the value of STEADYHAND_SECRET_KEYS; None when it is not set.
        data_dir: None where no file may count.

    Raises:
        BadSecretKeys: a key is malformed, or the file cannot be read.
    """
    keys = parse_keys(variable.get_secret_value() if variable else "", source=VARIABLE)
    if data_dir is not None:
        path = key_file(data_dir)
        keys += parse_keys(_read(path), source=str(path))
    return KeyRing(keys)


def make_key_file(data_dir: Path) -> None:
    """Make a key in the data directory, for whoever has none. The directory is locked by the caller.

    Raises:
        BadSecretKeys: the file cannot be written.
    """
    path = key_file(data_dir)
    try:
        write_private(path, f"{new_key()}\n")
    except OSError as error:
        raise BadSecretKeys(f"the key file {path} cannot be written: {error.strerror or error}") from error


def key_file(data_dir: Path) -> Path:
    """Return the path of the key file, which need not exist."""
    return data_dir.expanduser() / _FILE


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise BadSecretKeys(f"the key file {path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise BadSecretKeys(f"the key file {path} must hold keys in base64; it holds other characters") from None
